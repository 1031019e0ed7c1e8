"""What people are told of a herd: problems, the table, and why a removal was cancelled."""

from dataclasses import replace

import pytest
from herd_samples import (
    LONG_AGO,
    MAIN,
    MINUTE,
    NOW,
    OTHER,
    assessed,
    host,
    instance,
    instance_id,
)

from corral.domain.alerts import Severity
from corral.domain.herd import (
    Evidence,
    Removal,
    Verdict,
    Watch,
    counts,
    may_still_be_removed,
    rows,
)
from corral.domain.hosts import Host
from corral.domain.set_up.environments import KnownProject

PHANTOM = host(1, "disconnected")
DEAD = instance(1, "terminated")
REMOVAL = Removal(PHANTOM, instance_id(1), Evidence.TERMINATED, "It is dead.")


class TestTheSecondLook:
    """Right before a host is removed, it and its instance are read again."""

    @pytest.mark.parametrize("evidence", list(Evidence))
    @pytest.mark.parametrize("known", [None, DEAD], ids=["unknown to EC2", "terminated"])
    def test_a_host_that_is_as_it_was_may_go(self, evidence, known):
        removal = replace(REMOVAL, evidence=evidence)

        assert may_still_be_removed(removal, PHANTOM, known) == ""

    def test_a_host_that_is_gone_hinders_nothing(self):
        assert may_still_be_removed(REMOVAL, None, DEAD) == ""

    @pytest.mark.parametrize(
        "state", ["pending", "running", "stopping", "stopped", "shutting-down", "rebooting"]
    )
    @pytest.mark.parametrize("evidence", list(Evidence))
    def test_any_sign_of_its_instance_keeps_it(self, state, evidence):
        removal = replace(REMOVAL, evidence=evidence)

        assert may_still_be_removed(removal, PHANTOM, instance(1, state)) == (
            f"EC2 now says that i-00000001 is {state}, so the next run judges it anew"
        )

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            pytest.param({"agent_state": "active"}, "agent active", id="the agent is back"),
            pytest.param({"agent_state": "reconnecting"}, "agent reconnecting", id="it tries"),
            pytest.param({"state": "inactive"}, "state inactive", id="somebody took it out"),
            pytest.param({"state": "removing"}, "state removing", id="somebody removes it"),
            pytest.param({"address": "10.9.9.9"}, "address 10.9.9.9", id="address"),
            pytest.param({"hostname": "other"}, "host name other", id="name of the machine"),
            pytest.param({"project_id": "1a7"}, "environment 1a7", id="environment"),
            pytest.param({"labels": {}}, "instance ; labels", id="labels"),
            pytest.param({"created": NOW}, "date of creation", id="another row"),
        ],
    )
    def test_any_change_keeps_it(self, change, said):
        sentence = may_still_be_removed(REMOVAL, replace(PHANTOM, **change), DEAD)

        assert sentence == f"it changed meanwhile ({said}), so the next run judges it anew"

    @pytest.mark.parametrize("change", [{"name": "new"}, {"actions": frozenset()}])
    def test_its_name_for_people_and_its_actions_say_nothing(self, change):
        assert may_still_be_removed(REMOVAL, replace(PHANTOM, **change), DEAD) == ""


class TestProblems:
    @pytest.mark.parametrize(
        ("one", "instances", "watch", "key"),
        [
            pytest.param(
                host(1, state="removing", actions=frozenset()),
                [instance(1)],
                Watch(moving={"1h1": LONG_AGO}),
                "corral/lab/stuck/1a5/1h1",
                id="stuck",
            ),
            pytest.param(
                host(1, "disconnected", labels={"aws.instance_id": "web"}),
                [],
                Watch(),
                "corral/lab/ambiguous/1a5/1h1",
                id="ambiguous",
            ),
            pytest.param(
                host(1, "active"),
                [DEAD],
                Watch(dying={"1h1": LONG_AGO}),
                "corral/lab/vetoed/1a5/1h1",
                id="dead, but it answers",
            ),
            pytest.param(
                host(1, "reconnecting"),
                [DEAD],
                Watch(dying={"1h1": LONG_AGO}),
                "corral/lab/vetoed/1a5/1h1",
                id="dead, but never given up",
            ),
        ],
    )
    def test_a_host_that_needs_a_person_is_a_problem(self, one, instances, watch, key):
        (problem,) = assessed([one], instances, watch).problems

        assert problem.key("lab") == key
        assert problem.severity is Severity.WARNING
        assert problem.text.startswith("Host 1h1: ")

    def test_a_missing_instance_is_a_problem_of_its_pool(self):
        (problem,) = assessed([], [instance(1)]).problems

        assert problem.key("lab") == "corral/lab/missing/web/i-00000001"
        assert problem.title == "instance i-00000001 of web never became a host"

    @pytest.mark.parametrize(
        ("one", "instances"),
        [
            pytest.param(PHANTOM, [DEAD], id="orphaned: that is what the run is for"),
            pytest.param(PHANTOM, [instance(1)], id="silent: it is in the table"),
            pytest.param(PHANTOM, [instance(1, "stopped")], id="stopped"),
            pytest.param(host(1), [DEAD], id="dying"),
            pytest.param(host(1, labels={}, address="192.168.0.1", hostname="x"), [], id="foreign"),
        ],
    )
    def test_what_passes_by_itself_is_none(self, one, instances):
        assert assessed([one], instances).problems == ()

    @pytest.mark.parametrize(
        ("setting", "own", "keys"),
        [
            pytest.param(-1, None, [], id="off"),
            pytest.param(None, None, [], id="nobody asked"),
            pytest.param(-1, -1, [], id="off twice"),
            pytest.param(0, None, ["corral/lab/remover"], id="at once"),
            pytest.param(600, None, ["corral/lab/remover"], id="everywhere"),
            pytest.param(-1, 600, ["corral/lab/remover/1a5"], id="in one environment"),
        ],
    )
    def test_ranchers_own_remover_is_told_of(self, setting, own, keys):
        projects = [KnownProject("1a5", "main", "active", own), OTHER]
        problems = assessed([], [], projects=projects, remove_delay_s=setting).problems

        assert [problem.key("lab") for problem in problems] == keys

    def test_two_environments_of_one_name_have_alerts_of_their_own(self):
        projects = [KnownProject(one, "main", "active", 600) for one in ("1a5", "1a7")]
        problems = assessed([], [], projects=projects, remove_delay_s=-1).problems

        assert [problem.scope for problem in problems] == ["1a5", "1a7"]
        assert all("environment main" in problem.text for problem in problems)


class TestTheTable:
    findings = assessed(
        [PHANTOM, host(2), host(3, "disconnected")], [DEAD, instance(2), instance(3), instance(4)]
    ).findings

    def test_it_has_a_row_for_each_host_that_is_not_healthy_the_worst_first(self):
        table = rows(self.findings, {"1h1": "removed"}, [MAIN])

        assert [(row["host"], row["instance"], row["verdict"], row["done"]) for row in table] == [
            ("1h1", "i-00000001", "orphaned", "removed"),
            ("", "i-00000004", "missing", ""),
            ("1h3", "i-00000003", "silent", ""),
        ]
        assert table[0] == {
            "host": "1h1",
            "name": "ip-10-0-0-1",
            "instance": "i-00000001",
            "environment": "main",
            "pool": "web",
            "verdict": "orphaned",
            "evidence": "terminated",
            "why": "EC2 says that i-00000001 is terminated, and Rancher has given up its agent.",
            "done": "removed",
        }

    def test_an_environment_without_a_name_is_called_by_its_id(self):
        assert rows(self.findings, {}, [])[0]["environment"] == "1a5"

    def test_every_verdict_is_counted_that_was_given(self):
        assert counts(self.findings) == {
            "orphaned": 1,
            "missing": 1,
            "silent": 1,
            "healthy": 10,
        }

    def test_every_verdict_has_its_place_in_the_table(self):
        some = self.findings[0]
        everything = [replace(some, verdict=verdict) for verdict in Verdict]

        assert sorted(counts(everything)) == sorted(Verdict)


def test_a_big_herd_names_only_some_hosts_in_a_sentence():
    silent: list[Host] = [host(n, "disconnected") for n in range(1, 31)]
    assessment = assessed(silent, [instance(n) for n in range(1, 31)], now=NOW + MINUTE)

    assert "1h1, 1h2, 1h3, 1h4, 1h5 and 25 more" in assessment.refusals[0].sentence
