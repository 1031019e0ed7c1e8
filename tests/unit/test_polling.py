from collections.abc import Sequence
from datetime import timedelta

import pytest

from corral.clients.polling import Seldom, Waiting, wait_until
from corral.errors import CorralError, GateTimeoutError, PrerequisiteError, RancherUnreachableError


class World:
    """A clock that only sleeping moves, and a condition that comes true by plan."""

    def __init__(self, *probes: Sequence[str] | CorralError) -> None:
        self.now = 0.0
        self.probes = list(probes)
        self.reports: list[Waiting] = []

    def probe(self) -> Sequence[str]:
        found = self.probes.pop(0) if len(self.probes) > 1 else self.probes[0]
        if isinstance(found, CorralError):
            raise found
        return found

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def wait(self, *, passes: int = 1, deadline_s: float = 60) -> timedelta:
        return wait_until(
            "all nodes answer",
            self.probe,
            deadline=timedelta(seconds=deadline_s),
            interval=timedelta(seconds=10),
            passes=passes,
            on_wait=self.reports.append,
            sleep=self.sleep,
            clock=lambda: self.now,
        )


def test_a_condition_that_holds_is_not_waited_for():
    world = World([])

    assert world.wait() == timedelta(0)
    assert world.reports == []


def test_the_wait_ends_with_the_first_probe_that_holds():
    world = World(["node a is silent"], ["node a is silent"], [])

    assert world.wait() == timedelta(seconds=20)


def test_passes_count_only_in_a_row():
    world = World([], ["node b fell over"], [], [])

    assert world.wait(passes=2) == timedelta(seconds=30)


def test_every_wait_is_reported_with_what_is_missing():
    world = World(["node a is silent"], [], [])

    world.wait(passes=2)

    assert [str(report) for report in world.reports] == [
        "all nodes answer: 0 of 60 s, node a is silent",
        "all nodes answer: 10 of 60 s, held 1 times in a row",
    ]


def test_the_deadline_names_what_was_missing_last():
    world = World(["node a is silent", "node b answers 503"])

    with pytest.raises(GateTimeoutError) as caught:
        world.wait(deadline_s=35)

    assert caught.value.failures == ["node a is silent", "node b answers 503"]
    assert world.now == 30
    assert not caught.value.temporary


def test_the_probe_runs_once_even_without_time():
    world = World([])

    assert world.wait(deadline_s=0) == timedelta(0)


def test_a_hiccup_of_a_probe_means_not_yet():
    world = World(RancherUnreachableError("no answer in time"), [])

    assert world.wait() == timedelta(seconds=10)
    assert world.reports[0].failures == ("no answer in time",)


def test_a_hiccup_breaks_a_row_of_passes():
    world = World([], RancherUnreachableError("no answer in time"), [], [])

    assert world.wait(passes=2) == timedelta(seconds=30)


def test_a_hiccup_that_lasts_ends_with_the_deadline():
    with pytest.raises(GateTimeoutError, match="no answer in time"):
        World(RancherUnreachableError("no answer in time")).wait()


def test_what_will_not_pass_by_itself_ends_the_wait_at_once():
    with pytest.raises(PrerequisiteError):
        World(PrerequisiteError("make it first")).wait()


def test_what_is_missing_anew_is_said_at_once_and_the_same_again_seldom():
    said: list[str] = []
    say = Seldom(lambda waiting: said.append(f"{waiting.waited.seconds} {waiting.failures}"))

    for second, failure in enumerate(["a"] * 12 + ["b"] * 3):
        say(Waiting("it", timedelta(seconds=second), timedelta(seconds=60), (failure,), 0))

    assert said == ["0 ('a',)", "11 ('a',)", "12 ('b',)"]
