"""Runs processes: takes rows through their states, each in its time."""

import random
import time
from collections.abc import Callable, Sequence
from functools import partial

from lab.rancher import timings
from lab.rancher.clockwork import Clockwork
from lab.rancher.rows import Row
from lab.rancher.state_tables import FOLLOWS, find
from lab.rancher.states import ACTIVE, REMOVED, Process
from lab.rancher.store import Pending, Store

Handler = Callable[[Row], bool | None]
"""What a process does besides changing the state.

False: it failed and is tried again later, ever more seldom. None: what it waits for is not there
yet, and it looks again soon.
"""

RETRY_DOUBLINGS = 16


class ProcessCancelledError(Exception):
    """The row's state does not let the process start.

    cattle: ProcessCancelException.java
    """


class ProcessUnknownError(Exception):
    """No process has that name.

    cattle: ProcessNotFoundException.java
    """


class Engine:
    """The process server that all servers of a cluster are."""

    def __init__(
        self, store: Store, clockwork: Clockwork, seconds: Callable[[float], float]
    ) -> None:
        self._store = store
        self._clockwork = clockwork
        self._seconds = seconds
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._durations: dict[tuple[str, str], float] = {}
        self.remove_delay: Callable[[str], float] = lambda _base: 0.0
        """Gives the seconds after which a removed row may be purged, by its type's name."""
        self.holds: Callable[[str, str, Row], bool] = lambda _base, _process, _row: False
        """Says whether something keeps a process of a row from ending."""

    def handle(
        self, base: str, process: str, handler: Handler, *, takes: float = timings.PROCESS
    ) -> None:
        """Have a process do something, and take some seconds of the real world for it."""
        self._handlers[base, process] = handler
        self._durations[base, process] = takes

    def start(self, base: str, row: Row, name: str, then: Sequence[str] = ()) -> None:
        """Start a process: the row's state changes now, the rest happens in its time.

        A process whose last state the row has already is done, and one that is running goes on.
        cattle: DefaultProcessInstanceImpl.java (preRunStateCheck, shouldCancel)

        Args:
            base: type of the row.
            row: what goes through the process.
            name: process, as `deactivate`.
            then: processes to start after it, in order.

        Raises:
            ProcessCancelledError: the state permits neither.
            ProcessUnknownError: there is no such process.

        """
        process = find(base, name)
        if process is None:
            raise ProcessUnknownError(f"{base}.{name}".lower())
        if process.is_done(row.state):
            self._chain(base, row, then)
            return
        if process.is_running(row.state):
            return
        if row.state not in process.starts:
            raise ProcessCancelledError(f"{base}.{name} from {row.state}")
        row.state = process.through[row.state]
        self._store.changed(base, row)
        self._continue_in(self._duration(base, process), base, row, process, tuple(then), 0)

    def enter(self, base: str, row: Row, name: str) -> None:
        """Start a process whose end somebody else brings about, by starting the next one."""
        process = find(base, name)
        if process is not None and row.state in process.starts:
            row.state = process.through[row.state]
            self._store.changed(base, row)

    def create(self, base: str, row: Row, then: Sequence[str] = ()) -> None:
        """Start the life of a new row, which goes on to active where that is the custom."""
        follow = (FOLLOWS[base],) if base in FOLLOWS else ()
        self.start(base, row, "create", (*follow, *then))

    def _duration(self, base: str, process: Process) -> float:
        return self._durations.get((base, process.name), timings.PROCESS)

    def _continue_in(
        self, real_s: float, base: str, row: Row, process: Process, then: Sequence[str], tries: int
    ) -> None:
        due = time.time() + self._seconds(real_s)
        pending = Pending(base, row, process.name, tuple(then), tries, due)
        self._store.processes[base, row.id, process.name] = pending
        self._clockwork.after(real_s, partial(self._finish, base, row, process, then, tries))

    def replay(self) -> None:
        """Go on with the processes that the database knows of, each when it is due.

        cattle: ProcessReplayTask.java
        """
        for one in self._store.processes.values():
            process = find(one.base, one.process)
            if process is not None:
                left = max(0.0, one.due - time.time()) / self._seconds(1.0)
                finish = partial(self._finish, one.base, one.row, process, one.then, one.tries)
                self._clockwork.after(left, finish)

    def _finish(
        self, base: str, row: Row, process: Process, then: Sequence[str], tries: int
    ) -> None:
        self._store.processes.pop((base, row.id, process.name), None)
        if not process.is_running(row.state):
            return
        if self.holds(base, process.name, row):
            self._continue_in(timings.HELD, base, row, process, then, tries)
            return
        handler = self._handlers.get((base, process.name))
        outcome = handler is None or handler(row)
        if outcome is None:
            self._continue_in(timings.LOOK, base, row, process, then, tries)
            return
        if not outcome:
            # The exponent is bounded, since a container without a host is tried for ever.
            back_off = timings.RETRY_BASE + timings.RETRY_STEP * 2 ** min(tries, RETRY_DOUBLINGS)
            wait = min(timings.RETRY_MAX, back_off)
            self._continue_in(wait, base, row, process, then, tries + 1)
            return
        self._settle(base, row, process, then)

    def _settle(self, base: str, row: Row, process: Process, then: Sequence[str]) -> None:
        done = process.done[row.state]
        if done == REMOVED:
            self._mark_removed(base, row)
        if process.name == "create" and then and then[0] == FOLLOWS.get(base):
            # The row never shows the state between: creation delegates to activation.
            self.start(base, row, then[0], then[1:])
            return
        row.state = done
        self._store.changed(base, row)
        self._chain(base, row, then)

    def _chain(self, base: str, row: Row, then: Sequence[str]) -> None:
        if not then:
            return
        try:
            self.start(base, row, then[0], then[1:])
        except ProcessCancelledError:
            return

    def _mark_removed(self, base: str, row: Row) -> None:
        """Write the dates of a removal: only at its end, and the purge at a random moment.

        cattle: SetRemovedFields.java
        """
        now = time.time()
        row.removed = row.removed or now
        delay = self.remove_delay(row.kind if base == "account" else base)
        if delay < 0:
            delay = random.random() * -delay
        row.remove_time = row.remove_time or now + self._seconds(delay)


def is_active(row: Row | None) -> bool:
    """Say whether a row is there and active."""
    return row is not None and row.state == ACTIVE
