"""Waiting: with a deadline, and not in silence."""

import logging
import signal
import time

import pytest
from corral_node.errors import DeadlineError, NodeError, NotYetError
from corral_node.waiting import Deadline, await_success, cut_off


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("time.monotonic", lambda: clock.now)
    monkeypatch.setattr("time.sleep", clock.sleep)
    return clock


class Looks:
    """Fails so many times before it finds."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = list(reasons)

    def __call__(self) -> str:
        if self.reasons:
            raise NotYetError(self.reasons.pop(0))
        return "found"


def wait_for(looks: Looks, seconds: float = 60, interval_s: float = 5) -> str:
    return await_success(
        looks,
        "the thing",
        deadline=Deadline.after(seconds),
        advice="Look there",
        interval_s=interval_s,
    )


def test_what_is_there_is_returned_without_a_pause(clock):
    assert wait_for(Looks()) == "found"
    assert clock.sleeps == []


def test_it_looks_again_after_each_pause(clock):
    assert wait_for(Looks("no", "no")) == "found"
    assert clock.sleeps == [5, 5]


def test_after_the_deadline_the_last_reason_and_the_advice_are_told(clock):
    with pytest.raises(DeadlineError) as caught:
        wait_for(Looks(*["refused"] * 20), seconds=12)

    assert str(caught.value) == "gave up on the thing after 12 s: refused. Look there"
    assert clock.sleeps == [5, 5, 2], "the last pause ends at the deadline"


def test_another_failure_is_not_waited_for(clock):
    def fail() -> str:
        raise NodeError("broken")

    with pytest.raises(NodeError, match="broken"):
        await_success(fail, "it", deadline=Deadline.after(60), advice="")
    assert clock.sleeps == []


@pytest.mark.usefixtures("clock")
def test_a_new_reason_is_told_at_once_and_an_old_one_each_minute(caplog):
    caplog.set_level(logging.INFO, "corral_node")

    wait_for(Looks(*["refused"] * 20, "denied"), seconds=600)

    assert [record.message.rpartition(": ")[2] for record in caplog.records] == [
        "refused",
        "refused",
        "denied",
    ]
    assert caplog.messages[0] == "waiting for the thing, for another 600 s at most: refused"


def test_one_command_may_not_outlast_the_deadline(clock):
    deadline = Deadline.after(100)

    assert deadline.at_most(60) == 60
    clock.now += 90
    assert deadline.at_most(60) == 10
    clock.now += 90
    assert deadline.at_most(60) == 1, "a command gets a chance"


def test_what_never_returns_is_cut_off():
    with (
        pytest.raises(DeadlineError, match=r"^waiting took longer than 0 s and was cut off$"),
        cut_off(0.05, "waiting"),
    ):
        time.sleep(30)

    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_what_ends_in_time_is_left_alone():
    before = signal.getsignal(signal.SIGALRM)
    with cut_off(30, "waiting"):
        pass

    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) is before
