"""What one run tells the next."""

from dataclasses import replace
from datetime import timedelta

import pytest
from herd_samples import (
    CONTROL,
    LONG_AGO,
    MINUTE,
    NOW,
    RULE,
    assessed,
    host,
    instance,
    view,
)

from corral.domain.herd import Verdict, Watch, assess

SERVER = "1cm1 10.0.9.1"
DAY = timedelta(days=1)
HOUR = 60 * MINUTE


def follow(watch: Watch, **seen: object) -> Watch:
    nothing = {"servers": [], "moving": [], "dying": [], "absent": []}
    times = {"now": NOW, "quiet": DAY, "absence": HOUR}
    return watch.follow(**(nothing | times | seen))


def test_what_is_known_keeps_its_time_and_what_has_passed_is_forgotten():
    watch = follow(Watch(moving={"1h1": LONG_AGO, "1h2": LONG_AGO}), moving=["1h2", "1h3"])

    assert watch.moving == {"1h2": LONG_AGO, "1h3": NOW}


def test_servers_that_nobody_asked_for_stay_known():
    assert follow(Watch(servers={SERVER: LONG_AGO})).servers == {SERVER: LONG_AGO}


def test_the_first_servers_ever_seen_are_old_and_later_ones_new():
    first = follow(Watch(), servers=[SERVER])
    second = follow(first, servers=[SERVER, "1cm2 10.0.9.2"])

    assert first.servers == {SERVER: NOW - DAY}
    assert second.servers == {SERVER: NOW - DAY, "1cm2 10.0.9.2": NOW}


def test_of_too_many_the_oldest_are_kept_within_the_size_of_a_variable():
    old = {f"1h{n}": LONG_AGO for n in range(9_999_900, 9_999_940)}
    names = [f"1h{n}" for n in range(1_000_000, 1_000_500)]
    servers = [f"1cm{n} 100.100.100.{n}" for n in range(100, 150)]
    watch = follow(
        Watch(moving=old),
        servers=servers,
        moving=[*names, *old],
        dying=names,
        absent=names,
        now=NOW + timedelta(microseconds=7),
    )

    assert watch.moving.items() >= old.items()
    assert len(watch.model_dump_json()) < 4500
    assert Watch.model_validate_json(watch.model_dump_json()) == watch


def test_a_run_watches_what_is_half_way_and_what_is_dead_but_answers():
    rows = [
        host(1, "disconnected", state="removing"),
        host(2, "disconnected", state="deactivating"),
        host(3, "active"),
        host(4, "reconnecting"),
        host(5, "disconnected"),
        host(6, "removed", state="purging"),
    ]
    dead = [instance(n, "terminated") for n in range(1, 7)]

    watch = assessed(rows, dead, servers=frozenset({SERVER})).watch

    assert watch == Watch(
        servers={SERVER: NOW - RULE.quiet},
        moving={"1h1": NOW, "1h2": NOW},
        dying={"1h3": NOW, "1h4": NOW},
    )


def test_a_host_that_dies_is_told_only_when_that_lasts():
    dead = [instance(1, "terminated")]
    first = assessed([host(1)], dead)
    second = assessed([host(1)], dead, first.watch, now=NOW + 9 * MINUTE)
    third = assessed([host(1)], dead, second.watch, now=NOW + 10 * MINUTE)

    assert not first.problems
    assert not second.problems
    assert [problem.key("lab") for problem in third.problems] == ["corral/lab/vetoed/1a5/1h1"]


class TestAbsenceThatHasToLast:
    """EC2 lists what has ended for about an hour, so what is missed sooner may be a mistake."""

    rule = replace(RULE, absence=HOUR)
    silent = host(1, "disconnected")

    def verdicts(self, *minutes: int) -> list[Verdict]:
        """Return the verdict of each look, at so many minutes."""
        watch, found = Watch(), []
        for minute in minutes:
            read = view([self.silent], [], now=NOW + minute * MINUTE)
            assessment = assess(read, self.rule, watch)
            watch = assessment.watch
            found += [one.verdict for one in assessment.findings if one.host == self.silent]
            assert bool(assessment.removals) is (found[-1] is Verdict.ORPHANED)
        return found

    def test_it_counts_after_an_hour_of_looks(self):
        assert self.verdicts(*range(0, 65, 5)) == [Verdict.DYING] * 12 + [Verdict.ORPHANED]

    @pytest.mark.parametrize(
        "minutes",
        [
            pytest.param((0, 60), id="nobody looked meanwhile"),
            pytest.param((0, 15, 30, 46, 60), id="one look was late"),
            pytest.param((0, 15, 30, 10, 25, 40, 55), id="the clock was set back"),
        ],
    )
    def test_it_begins_anew_after_a_gap(self, minutes):
        assert set(self.verdicts(*minutes)) == {Verdict.DYING}

    def test_it_begins_anew_when_ec2_knows_the_instance_again(self):
        watch = Watch(absent={"1h1": NOW - 2 * HOUR}, looked=NOW - MINUTE)

        seen = assess(view([self.silent], [instance(1)]), self.rule, watch).watch

        assert seen == Watch()

    def test_a_look_that_a_guard_refused_saw_no_absence(self):
        watch = Watch(absent={"1h1": NOW - 2 * HOUR}, looked=NOW - MINUTE)
        no_canary = replace(view([self.silent], []), instances=[CONTROL])

        assert assess(no_canary, self.rule, watch).watch.absent == {}

    def test_a_lost_watch_only_lets_it_wait(self):
        assert assess(view([self.silent], []), self.rule, Watch()).removals == ()
