"""Waiting with a deadline, and saying what for: the only place of this program that sleeps."""

import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

from corral_node.errors import DeadlineError, NotYetError

log = logging.getLogger(__name__)

Found = TypeVar("Found")

INTERVAL_S = 5.0
REMINDER_S = 60.0
"""A wait whose reason does not change is mentioned again this often."""
AGAIN_S = 5.0
"""A library may swallow what interrupts it, so it is interrupted again."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment after which nothing is waited for any more."""

    seconds: float
    moment: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return the deadline that is so many seconds away."""
        return cls(seconds=seconds, moment=time.monotonic() + seconds)

    @property
    def remaining_s(self) -> float:
        """Return the seconds left, never less than none."""
        return max(0.0, self.moment - time.monotonic())

    def at_most(self, seconds: float) -> float:
        """Return how long one command may take: so long, but not past the deadline."""
        return min(seconds, max(1.0, self.remaining_s))


class _Reasons:
    """Mentions why it still waits: at once when the reason is new, else once in a while."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._last = ""
        self._said_at = 0.0

    def mention(self, reason: str, deadline: Deadline) -> None:
        now = time.monotonic()
        if reason == self._last and now - self._said_at < REMINDER_S:
            return
        self._last, self._said_at = reason, now
        left = round(deadline.remaining_s)
        log.info("waiting for %s, for another %d s at most: %s", self._what, left, reason)


def await_success(
    look: Callable[[], Found],
    what: str,
    *,
    deadline: Deadline,
    advice: str,
    interval_s: float = INTERVAL_S,
) -> Found:
    """Look until it succeeds and return what was found.

    Args:
        look: Raises NotYetError as long as there is nothing to be found.
        what: Noun phrase for the log, as `the database db.example:3306`.
        deadline: When to give up.
        advice: What a person should look at when it never comes.
        interval_s: Pause between two looks.

    Raises:
        DeadlineError: It did not come in time; the sentence ends with what was seen last.
    """
    reasons = _Reasons(what)
    while True:
        try:
            return look()
        except NotYetError as not_yet:
            if deadline.remaining_s <= 0:
                raise DeadlineError(
                    f"gave up on {what} after {deadline.seconds:.0f} s: {not_yet}. {advice}"
                ) from not_yet
            reasons.mention(str(not_yet), deadline)
        time.sleep(min(interval_s, deadline.remaining_s))


@contextmanager
def cut_off(seconds: float, what: str) -> Iterator[None]:
    """Interrupt whatever is being done after so many seconds, even a call that never returns.

    A time-out of a connection starts anew with each byte, so an answer that trickles outlasts any
    deadline that is looked at between two calls. Only for a process's main thread.

    Args:
        seconds: More than the deadlines within, which tell more.
        what: Noun phrase for the error, as `leaving`.

    Raises:
        DeadlineError: It took longer.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise DeadlineError(f"{what} took longer than {seconds:.0f} s and was cut off")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
