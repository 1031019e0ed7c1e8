"""Hears the queues of all pools at once, and sees to it that no message is lost.

A message is on loan from its queue while it is worked on. It is deleted when its work is done, and
else comes again; so it does if this process dies. It knows neither Prefect nor what a message says.
Whatever hangs is left behind: its message comes again.
"""

import logging
import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import BoundedSemaphore, Event
from typing import Any

from corral.clients.aws import Message
from corral.clients.threads import start
from corral.domain.lifecycle import Foreign
from corral.errors import AwsUnavailableError, CorralError
from tasks.draining import Draining, News
from tasks.fates import Fate, Handled
from tasks.loans import LONGEST_WORK_S, Loans, Queue

log = logging.getLogger(f"corral.{__name__}")

POLL_S = 5
"""Seconds that one look into an empty queue takes. Longer ones would save calls that cost nothing;
a run that is told to stop waits for the end of its looks, or they might take a message along."""
AFTER_FAILURE_S = 5.0
SIGNAL_S = 0.5
MOST_AT_ONCE = 10
"""Messages of one queue that are worked on at once: as many as SQS gives in one answer."""
STOP_S = 10.0
"""Seconds in which work that is told to stop gives its message back; what takes longer hangs."""
LOOKS_A_HOOK = 4
"""Looks at a message that was left, at least, while its machine is kept waiting without a sign."""


class StoppedError(Exception):
    """The run has been told to stop: what is under way is given back."""


@dataclass(frozen=True, slots=True)
class Source:
    """A pool and its queue."""

    pool: str
    queue: Queue
    drain_time: timedelta
    """How long after the event containers are waited for."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one run heard: what became of each message, and why some queues could not be heard."""

    handled: tuple[Handled, ...] = ()
    deaf: dict[str, CorralError] = field(default_factory=dict)
    """Pool to what its queue answered last, if that was no success."""


@dataclass(slots=True)
class _Ear:
    """What one listener has heard so far: its messages by the work on each."""

    source: Source
    works: dict[Future[Handled], Message] = field(default_factory=dict)
    deaf: CorralError | None = None


class Listening:
    """Listens to queues, and works off what they bring, many messages side by side."""

    def __init__(
        self,
        draining: Draining,
        loans: Loans,
        *,
        workers: int,
        stop: Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Do nothing yet.

        Args:
            draining: What is done about a message; its pauses must end when `stop` is set.
            loans: Who keeps messages while they are worked on.
            workers: Messages that are worked on at once, of all queues together.
            stop: Ends everything soon, once it is set.
            clock: Seconds, ever growing.

        """
        self._draining = draining
        self._loans = loans
        self._room = BoundedSemaphore(workers)
        self._stop = stop
        self._clock = clock

    def listen(self, sources: Sequence[Source], listen_s: float) -> Heard:
        """Listen for so long, and until every queue is empty; whatever ends it, nothing is lost.

        What hangs is told to stop, and left behind if it does not: nobody waits for it for ever.
        """
        until = self._clock() + listen_s
        ears = [_Ear(source) for source in sources]
        heart = start(self._keep_loans)
        listeners = [start(self._hear, ear, until) for ear in ears]
        try:
            self._await(listeners, until + LONGEST_WORK_S)
            self._await(_works(ears), until + LONGEST_WORK_S)
        finally:
            self._stop.set()
            wait([heart, *listeners], STOP_S)
            wait(_works(ears), STOP_S)
        if heart.done():
            heart.result()
        ends = zip(ears, listeners, strict=True)
        deaf = {ear.source.pool: _deafness(ear, listener) for ear, listener in ends}
        return Heard(
            tuple(self._result(ear, work) for ear in ears for work in _works([ear])),
            {pool: error for pool, error in deaf.items() if error},
        )

    def work_off(self, source: Source, message: Message) -> Handled:
        """Do what one message asks for, then delete it or leave it for another try."""
        news = self._draining.read(message.body)
        try:
            with self._loans.hold(source.queue, message, news), self._turn():
                handled = self._draining.handle(
                    source.pool, source.drain_time, news, is_again=message.receives > 1
                )
        except StoppedError:
            handled = _given_back(source.pool, news, "the run was told to stop")
        log.info("%s: %s", source.pool, handled.sentence)
        self._settle(source, message, news, handled)
        return handled

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until not too many work at once, unless the run is to stop."""
        while not self._room.acquire(timeout=SIGNAL_S):
            self._draining.pause(0)
        try:
            self._draining.pause(0)
            yield
        finally:
            self._room.release()

    def _settle(self, source: Source, message: Message, news: News, handled: Handled) -> None:
        """Take a message out of its queue, or say when it comes again; failing that, it does."""
        try:
            if handled.is_done:
                source.queue.delete(message)
                return
            self._loans.keep_waiting(news)
            source.queue.extend(message, self._rest_s(source, handled))
        except CorralError as error:
            log.warning("%s: the message comes again, since %s", handled.pool, error)

    def _rest_s(self, source: Source, handled: Handled) -> int:
        """Return after how many seconds a message comes again; in time for a group that waits."""
        if handled.rest is not None:
            return math.ceil(handled.rest.total_seconds())
        if self._stop.is_set():
            return 0
        hook_s = source.drain_time.total_seconds()
        return math.ceil(min(self._loans.loan_s, hook_s / LOOKS_A_HOOK))

    def _keep_loans(self) -> None:
        beats: Collection[Future[None]] = ()
        while not self._stop.wait(self._loans.beat_s):
            for beat in beats:
                if beat.done():
                    beat.result()
            beats = self._loans.beat()

    def _hear(self, ear: _Ear, until: float) -> None:
        """Hear one queue to its end, with as many messages in hand as there is room for."""
        while not self._stop.is_set():
            is_over = self._clock() >= until
            under_way = [work for work in ear.works if not work.done()]
            if len(under_way) >= MOST_AT_ONCE:
                wait(under_way, timeout=SIGNAL_S, return_when=FIRST_COMPLETED)
                continue
            try:
                room = MOST_AT_ONCE - len(under_way)
                messages = ear.source.queue.receive(self._seconds_of_a_look(until), room)
                ear.deaf = None
            except CorralError as error:
                ear.deaf = error
                if is_over or not error.temporary:
                    break
                log.warning("%s: %s", ear.source.pool, error)
                self._stop.wait(AFTER_FAILURE_S)
                continue
            ear.works |= {start(self.work_off, ear.source, each): each for each in messages}
            if is_over and not messages:
                break

    def _await(self, futures: Collection[Future[Any]], until: float) -> None:
        """Wait in short waits, so that a signal always gets through."""
        pending = futures
        while pending and self._clock() < until:
            pending = wait(pending, timeout=SIGNAL_S).not_done

    def _result(self, ear: _Ear, work: Future[Handled]) -> Handled:
        if work.done():
            return work.result()
        news = self._draining.read(ear.works[work].body)
        return _given_back(ear.source.pool, news, "its work hangs")

    def _seconds_of_a_look(self, until: float) -> int:
        """Return how long a look may wait; never 0, with which SQS asks only some of its servers.

        Source: SQS developer guide, "Amazon SQS short and long polling".
        """
        return min(POLL_S, max(1, math.ceil(until - self._clock())))


def stoppable_pause(stop: Event) -> Callable[[float], None]:
    """Return a pause of some seconds that a stop ends at once.

    The pause raises StoppedError then, to leave whatever paused.
    """

    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise StoppedError

    return pause


def _given_back(pool: str, news: News, why: str) -> Handled:
    who = "" if isinstance(news, Foreign) else news.instance_id
    sentence = f"{who or 'A message'} is left for another try: {why}."
    return Handled(pool, Fate.LEFT, who, sentence)


def _works(ears: Sequence[_Ear]) -> list[Future[Handled]]:
    return [work for ear in ears for work in [*ear.works]]


def _deafness(ear: _Ear, listener: Future[None]) -> CorralError | None:
    """Return why a queue could not be heard to the end; None if it was."""
    if listener.done():
        listener.result()
        return ear.deaf
    return AwsUnavailableError("ReceiveMessage", "Timeout", "the queue never answered")
