"""Keeps messages from others, and their machines waiting, while somebody works on them."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from corral.clients.aws import Message
from corral.clients.threads import start
from corral.domain.lifecycle import Termination
from corral.errors import CorralError
from tasks.draining import News
from tasks.roster import Groups

log = logging.getLogger(f"corral.{__name__}")

LEAST_LOAN_S = 10.0
BEATS_A_LOAN = 3
"""Signs of life that may be missed before a message is given to somebody else."""
LONGEST_WORK_S = 600.0
"""No work on one message takes so long: after that it hangs, and its message may come again."""
ON_ITS_WAY_S = 2.0
"""So long who has done his work waits for a sign of life that is on its way: coming later than
what he does about the message, it would take the message from others once more."""


class Queue(Protocol):
    """What is asked of the queue of one pool."""

    def receive(self, wait_s: int, most: int = 10) -> list[Message]:
        """Return what is there, or what comes within some seconds."""

    def delete(self, message: Message) -> None:
        """Take a message out of the queue for good."""

    def extend(self, message: Message, seconds: int) -> None:
        """Keep a message out of others' hands for so many seconds from now; 0 gives it back."""


@dataclass(frozen=True, slots=True, eq=False)
class _Loan:
    """One message that somebody works on; `on_its_way` is held by its sign of life."""

    queue: Queue
    message: Message
    news: News
    since: float
    on_its_way: Lock = field(default_factory=Lock)


class Loans:
    """The messages that are worked on. No call of AWS keeps anybody else from anything."""

    def __init__(
        self, groups: Groups, beat_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Hold nothing yet.

        Args:
            groups: Who keeps machines waiting.
            beat_s: Seconds between two signs of life.
            clock: Seconds, ever growing.

        """
        self.beat_s = beat_s
        self.loan_s = math.ceil(max(LEAST_LOAN_S, BEATS_A_LOAN * beat_s))
        self._groups = groups
        self._clock = clock
        self._lock = Lock()
        self._held: set[_Loan] = set()

    @contextmanager
    def hold(self, queue: Queue, message: Message, news: News) -> Iterator[None]:
        """Keep a message, and the machine it is about, for as long as the block takes."""
        loan = _Loan(queue, message, news, self._clock())
        with self._lock:
            self._held.add(loan)
        try:
            yield
        finally:
            with self._lock:
                self._held.remove(loan)
            if loan.on_its_way.acquire(timeout=ON_ITS_WAY_S):
                loan.on_its_way.release()

    def beat(self) -> list[Future[None]]:
        """Give a sign of life for everything that is held, each without waiting for the others.

        What has been held for too long gets none: whoever holds it hangs.
        """
        with self._lock:
            loans = sorted(self._held, key=lambda loan: loan.since)
        oldest = self._clock() - LONGEST_WORK_S
        return [start(self._beat, loan) for loan in loans if loan.since > oldest]

    def keep_waiting(self, news: News) -> None:
        """Have the group of a machine wait on for it, if it is one that a group ends."""
        if isinstance(news, Termination):
            self._groups.heartbeat(news)

    def _beat(self, loan: _Loan) -> None:
        if not loan.on_its_way.acquire(blocking=False):
            return
        try:
            if self._is_held(loan):
                loan.queue.extend(loan.message, self.loan_s)
                self.keep_waiting(loan.news)
        except CorralError as error:
            log.warning("a sign of life was not taken: %s", error)
        finally:
            loan.on_its_way.release()

    def _is_held(self, loan: _Loan) -> bool:
        with self._lock:
            return loan in self._held
