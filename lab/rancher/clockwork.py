"""Work that comes due: it is done only while some server of the cluster is up."""

import asyncio
import heapq
import itertools
from collections.abc import Callable

from lab.world import World


class Clockwork:
    """Calls functions when their time has come, or as soon as a server is up again.

    Processes live in the database and are replayed by whichever server is there.
    cattle: ProcessReplayTask.java
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._running = False

    def after(self, real_s: float, action: Callable[[], None]) -> None:
        """Do something once, in so many seconds of the real world."""
        due = self._world.loop.time() + self._world.seconds(real_s)
        heapq.heappush(self._heap, (due, next(self._order), action))
        self._arm()

    def every(self, real_s: float, action: Callable[[], None]) -> None:
        """Do something again and again."""

        def again() -> None:
            self.after(real_s, again)
            action()

        self.after(real_s, again)

    def run(self) -> None:
        """Go on: a server is up."""
        self._running = True
        self._arm()

    def pause(self) -> None:
        """Stand still: no server is up."""
        self._running = False
        self._disarm()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self._disarm()
        if self._running and self._heap:
            self._timer = self._world.loop.call_at(self._heap[0][0], self._fire)

    def _fire(self) -> None:
        try:
            now = self._world.loop.time()
            while self._running and self._heap and self._heap[0][0] <= now:
                heapq.heappop(self._heap)[2]()
        finally:
            self._arm()
