"""Waiting for the world: one loop, always with a deadline, never silent about what it waits for."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from corral.errors import CorralError, GateTimeoutError

SAY_AGAIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is waited for at this moment, for a log line or a progress bar."""

    condition: str
    waited: timedelta
    deadline: timedelta
    failures: tuple[str, ...]
    passes: int
    """How many probes in a row held so far."""

    def __str__(self) -> str:
        """One line: what, how long so far, how long at most, what is missing."""
        clock = f"{self.waited.total_seconds():.0f} of {self.deadline.total_seconds():.0f} s"
        state = "; ".join(self.failures) or f"held {self.passes} times in a row"
        return f"{self.condition}: {clock}, {state}"


class Seldom:
    """Passes on what is waited for: what is missing anew at once, the same again seldom."""

    def __init__(self, hear: Callable[[Waiting], None]) -> None:
        self._hear = hear
        self._failures: tuple[str, ...] | None = None
        self._said_at = timedelta()

    def __call__(self, waiting: Waiting) -> None:
        """Hear what is waited for, and pass it on if it is worth it."""
        if waiting.failures != self._failures or waiting.waited > self._said_at + SAY_AGAIN:
            self._failures, self._said_at = waiting.failures, waiting.waited
            self._hear(waiting)


def say_nothing(_: Waiting) -> None:
    """Take a progress report and keep it to oneself."""


def wait_until(
    condition: str,
    probe: Callable[[], Sequence[str]],
    *,
    deadline: timedelta,
    interval: timedelta,
    passes: int = 1,
    on_wait: Callable[[Waiting], None] = say_nothing,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> timedelta:
    """Return how long it took until the condition held.

    Args:
        condition: What is waited for, as a human would say it.
        probe: Looks once, and returns one sentence for each thing that is missing; nothing
            missing is a pass. A temporary error of ours means "not yet", so that a hiccup costs
            one look and not the whole wait; all others are the caller's.
        deadline: After that the wait is given up. The probe runs at least once.
        interval: Pause between two probes.
        passes: How many probes in a row must hold.
        on_wait: Called after each probe that did not end the wait.
        sleep: For tests.
        clock: For tests; seconds.

    Raises:
        GateTimeoutError: With the failures of the last probe that had some.

    """
    started = clock()
    held = 0
    failures: tuple[str, ...] = ()
    while True:
        missing = _look(probe)
        waited = timedelta(seconds=clock() - started)
        held = 0 if missing else held + 1
        failures = missing or failures
        if held >= passes:
            return waited
        if waited + interval > deadline:
            raise GateTimeoutError(condition, deadline, list(failures))
        on_wait(Waiting(condition, waited, deadline, missing, held))
        sleep(interval.total_seconds())


def _look(probe: Callable[[], Sequence[str]]) -> tuple[str, ...]:
    """Return what one look finds missing; where looking itself may work later, that is missing."""
    try:
        return tuple(probe())
    except CorralError as error:
        if not error.temporary:
            raise
        return (str(error),)
