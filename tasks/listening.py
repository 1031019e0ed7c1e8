"""Hears the queues of all pools at once, and sees to it that no message is lost.

A message is on loan from its queue while it is worked on. It is deleted when its work is done, and
else comes again; so it does if this process dies. It knows neither Prefect nor what a message says.
"""

import logging
import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from threading import BoundedSemaphore, Event, Lock
from typing import ParamSpec, Protocol, TypeVar

from corral.clients.aws import Message
from corral.domain.lifecycle import Foreign, Termination
from corral.errors import CorralError
from tasks.draining import Draining, Fate, Groups, Handled, News

log = logging.getLogger(f"corral.{__name__}")

P = ParamSpec("P")
T = TypeVar("T")

POLL_S = 5
"""Seconds that one look into an empty queue takes. Longer ones would save calls that cost nothing;
a run that is told to stop waits for the end of its looks, or they might take a message along."""
AFTER_FAILURE_S = 5.0
SIGNAL_S = 0.5
MOST_AT_ONCE = 10
"""Messages of one queue that are worked on at once: as many as SQS gives in one answer."""
LEAST_LOAN_S = 10.0
BEATS_A_LOAN = 3
"""Signs of life that may be missed before a message is given to somebody else."""


class StoppedError(Exception):
    """The run has been told to stop: what is under way is given back."""


class Queue(Protocol):
    """What is asked of the queue of one pool."""

    def receive(self, wait_s: int, most: int = 10) -> list[Message]:
        """Return what is there, or what comes within some seconds."""

    def delete(self, message: Message) -> None:
        """Take a message out of the queue for good."""

    def extend(self, message: Message, seconds: int) -> None:
        """Keep a message out of others' hands for so many seconds from now; 0 gives it back."""


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


class Loans:
    """The messages that are worked on: kept from others, their machines kept waiting."""

    def __init__(self, groups: Groups, beat_s: float) -> None:
        """Hold nothing yet.

        Args:
            groups: Who keeps machines waiting.
            beat_s: Seconds between two signs of life.

        """
        self.beat_s = beat_s
        self.loan_s = math.ceil(max(LEAST_LOAN_S, BEATS_A_LOAN * beat_s))
        self._groups = groups
        self._lock = Lock()
        self._held: dict[str, tuple[Queue, Message, News]] = {}

    @contextmanager
    def hold(self, queue: Queue, message: Message, news: News) -> Iterator[None]:
        """Keep a message, and the machine it is about, for as long as the block takes."""
        with self._lock:
            self._held[message.receipt] = (queue, message, news)
        try:
            yield
        finally:
            with self._lock:
                del self._held[message.receipt]

    def beat(self) -> None:
        """Give a sign of life for everything that is held.

        Nothing is let go of meanwhile: a sign of life for a message that was just given back would
        take it again.
        """
        with self._lock:
            receipts = list(self._held)
        for receipt in receipts:
            with self._lock:
                if receipt in self._held:
                    self._beat(*self._held[receipt])

    def _beat(self, queue: Queue, message: Message, news: News) -> None:
        try:
            queue.extend(message, self.loan_s)
            if isinstance(news, Termination):
                self._groups.heartbeat(news)
        except CorralError as error:
            log.warning("a sign of life was not taken: %s", error)


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
        self._turn = BoundedSemaphore(workers)
        self._stop = stop
        self._clock = clock

    def listen(self, sources: Sequence[Source], listen_s: float) -> Heard:
        """Listen for so long, and until every queue is empty; whatever ends it, nothing is lost."""
        until = self._clock() + listen_s
        with (
            ThreadPoolExecutor(MOST_AT_ONCE * len(sources), "drain") as hands,
            ThreadPoolExecutor(len(sources) + 1, "listen") as listeners,
        ):
            try:
                heart = _submit(listeners, self._keep_loans)
                ears = [_submit(listeners, self._hear, each, until, hands) for each in sources]
                _await(ears)
            finally:
                self._stop.set()
            heart.result()
        return _together([ear.result() for ear in ears])

    def work_off(self, source: Source, message: Message) -> Handled:
        """Do what one message asks for, then delete it or leave it for another try."""
        news = self._draining.read(message.body)
        try:
            with self._loans.hold(source.queue, message, news), self._turn:
                self._draining.pause(0)
                handled = self._draining.handle(source.pool, source.drain_time, news)
        except StoppedError:
            handled = _given_back(source.pool, news)
        log.info("%s: %s", source.pool, handled.sentence)
        self._settle(source.queue, message, handled)
        return handled

    def _settle(self, queue: Queue, message: Message, handled: Handled) -> None:
        """Take a message out of its queue, or say when it comes again; failing that, it does."""
        try:
            if handled.fate is not Fate.LEFT:
                queue.delete(message)
                return
            queue.extend(message, 0 if self._stop.is_set() else self._loans.loan_s)
        except CorralError as error:
            log.warning("%s: the message comes again, since %s", handled.pool, error)

    def _keep_loans(self) -> None:
        while not self._stop.wait(self._loans.beat_s):
            self._loans.beat()

    def _hear(self, source: Source, until: float, hands: ThreadPoolExecutor) -> Heard:
        """Hear one queue to its end, with as many messages in hand as there is room for."""
        works: list[Future[Handled]] = []
        deaf: dict[str, CorralError] = {}
        while not self._stop.is_set():
            is_over = self._clock() >= until
            under_way = [work for work in works if not work.done()]
            if len(under_way) >= MOST_AT_ONCE:
                wait(under_way, timeout=POLL_S, return_when=FIRST_COMPLETED)
                continue
            try:
                room = MOST_AT_ONCE - len(under_way)
                messages = source.queue.receive(self._seconds_of_a_look(until), room)
                deaf = {}
            except CorralError as error:
                deaf = {source.pool: error}
                if is_over or not error.temporary:
                    break
                log.warning("%s: %s", source.pool, error)
                self._stop.wait(AFTER_FAILURE_S)
                continue
            works += [_submit(hands, self.work_off, source, message) for message in messages]
            if is_over and not messages:
                break
        return Heard(tuple(work.result() for work in works), deaf)

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


def _given_back(pool: str, news: News) -> Handled:
    who = "" if isinstance(news, Foreign) else news.instance_id
    sentence = f"{who or 'A message'} is left for another try: the run was told to stop."
    return Handled(pool, Fate.LEFT, who, sentence)


def _submit(
    executor: ThreadPoolExecutor, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> Future[T]:
    """Start some work in another thread, in the context of this one: its log lines belong to it."""
    context = copy_context()
    return executor.submit(lambda: context.run(work, *args, **kwargs))


def _await(futures: Collection[Future[Heard]]) -> None:
    """Wait in short waits, so that a signal always gets through."""
    pending: Collection[Future[Heard]] = futures
    while pending:
        pending = wait(pending, timeout=SIGNAL_S).not_done


def _together(parts: Sequence[Heard]) -> Heard:
    handled = tuple(each for part in parts for each in part.handled)
    return Heard(handled, {pool: error for part in parts for pool, error in part.deaf.items()})
