"""How much one run may remove."""

from dataclasses import replace

import pytest
from herd_samples import MAIN, OTHER, RULE, host, instance, view

from corral.domain.herd import Assessment, Evidence, Rule, Verdict, View, Watch, assess


def herd(dead: int = 0, absent: int = 0, size: int = 20, project: str = MAIN.id) -> View:
    """Return what was read of an environment of that size, with that many phantoms."""
    numbers = range(1, size + 1)
    hosts = [
        host(n, "disconnected" if n <= dead + absent else "active", project_id=project)
        for n in numbers
    ]
    listed = [n for n in numbers if not dead < n <= dead + absent]
    instances = [instance(n, "terminated" if n <= dead else "running") for n in listed]
    return replace(view([], []), hosts=hosts, instances=instances)


def removed(read: View, rule: Rule = RULE) -> int:
    return len(assess(read, rule, Watch()).removals)


@pytest.mark.parametrize(
    ("dead", "size", "number", "percent", "wanted"),
    [
        pytest.param(5, 20, 5, 50, 5, id="at the number"),
        pytest.param(6, 20, 5, 50, 0, id="over the number: none at all"),
        pytest.param(4, 20, 5, 20, 4, id="at the share"),
        pytest.param(5, 20, 5, 20, 0, id="over the share: none at all"),
        pytest.param(5, 21, 5, 20, 5, id="the share is rounded up"),
        pytest.param(1, 2, 5, 1, 1, id="one of few is always within the share"),
        pytest.param(1, 20, 0, 50, 0, id="nothing is allowed"),
        pytest.param(1, 20, 5, 0, 0, id="no share is allowed"),
        pytest.param(9, 10, 100, 100, 9, id="all but one may be allowed"),
    ],
)
def test_a_run_removes_all_of_an_environment_or_none(dead, size, number, percent, wanted):
    rule = replace(RULE, max_removals=number, max_removal_percent=percent)

    assert removed(herd(dead, size=size), rule) == wanted


@pytest.mark.parametrize(
    ("dead", "absent", "allowed", "wanted"),
    [
        pytest.param(0, 1, 1, 1, id="at the cap of weak evidence"),
        pytest.param(0, 2, 1, 0, id="over it"),
        pytest.param(3, 2, 1, 3, id="over it: what is proven goes all the same"),
        pytest.param(3, 2, 2, 5, id="both within"),
        pytest.param(4, 2, 2, 0, id="both count together"),
        pytest.param(5, 2, 1, 5, id="what is not allowed is not counted"),
        pytest.param(0, 1, 0, 0, id="weak evidence is never enough"),
    ],
)
def test_weak_evidence_has_its_own_cap(dead, absent, allowed, wanted):
    rule = replace(RULE, max_absent_removals=allowed)

    assert removed(herd(dead, absent), rule) == wanted


def test_a_groups_record_is_not_weak():
    read = herd(absent=3)
    recorded = {one.instance_id: "It was terminated." for one in read.hosts}

    removals = assess(replace(read, records=recorded), RULE, Watch()).removals

    assert [removal.evidence for removal in removals] == [Evidence.RECORDED] * 3


class TestTwoEnvironments:
    """One over its cap does not stop the other."""

    @staticmethod
    def assessment() -> Assessment:
        main, other = herd(dead=6), herd(dead=2, project=OTHER.id)
        moved = [
            replace(one, id=f"2{one.id}", labels=host(n).labels, address=f"10.1.0.{n}", hostname="")
            for n, one in enumerate(other.hosts, start=201)
        ]
        partners = [
            replace(one, id=f"i-{n:08x}", private_ip="", private_dns="")
            for n, one in enumerate(other.instances, start=201)
        ]
        both = replace(main, hosts=[*main.hosts, *moved], instances=[*main.instances, *partners])
        return assess(both, RULE, Watch())

    def test_only_the_one_within_its_cap_loses_hosts(self):
        assert {r.host.project_id for r in self.assessment().removals} == {OTHER.id}
        assert len(self.assessment().removals) == 2

    def test_the_other_is_told_by_name_with_the_limits(self):
        (sentence,) = self.assessment().capped

        assert sentence.startswith(
            "Environment main: death is proven of 6 hosts (1h1, 1h2, 1h3, 1h4, 1h5 and 1 more)"
        )
        assert "reconcile.max_removals 5, reconcile.max_removal_percent 50" in sentence

    def test_it_is_one_problem(self):
        problems = [p for p in self.assessment().problems if p.kind == "over-cap"]

        assert [problem.key("lab") for problem in problems] == ["corral/lab/over-cap/1a5"]


def test_both_caps_of_an_environment_are_one_problem():
    rule = replace(RULE, max_removals=2)
    assessment = assess(herd(dead=3, absent=2), rule, Watch())

    (problem,) = assessment.problems
    assert "death is proven of 3 hosts (1h1, 1h2, 1h3), and 2 of 20 may be removed" in problem.text
    assert "EC2 just does not know the instances of 2 hosts (1h4, 1h5)" in problem.text
    assert assessment.capped == (problem.text,)


def test_hosts_on_their_way_out_are_not_counted_into_the_share():
    read = herd(dead=1, size=2)
    going = [host(n, "removed", state="removing") for n in range(50, 70)]
    rule = replace(RULE, max_removal_percent=10)

    findings = assess(replace(read, hosts=[*read.hosts, *going]), rule, Watch())

    assert len(findings.removals) == 1


def test_what_is_capped_is_orphaned_all_the_same():
    findings = assess(herd(dead=6), RULE, Watch()).findings

    assert sum(finding.verdict is Verdict.ORPHANED for finding in findings) == 6
