"""Copies of what is in databases: those of snapshots, and those of moments to go back to."""

import time
from collections import defaultdict, deque
from collections.abc import Collection

from lab.rancher import RancherCluster

MOST = 2000
"""Moments that are kept of one database; the oldest go first."""
LEAST_PAUSE_S = 1.0
SPARING = 100.0
"""How many times longer than it takes a copy the lab waits until the next one."""


class Copies:
    """Keeps copies of databases, as bytes that nobody changes any more."""

    def __init__(self) -> None:
        self._snapshots: dict[str, bytes] = {}
        self._moments: dict[str, deque[tuple[float, bytes]]] = defaultdict(
            lambda: deque(maxlen=MOST)
        )
        self._next: dict[str, float] = {}

    def keep_moment(self, resource_id: str, cluster: RancherCluster) -> None:
        """Copy a database for this moment, if the last copy is old enough.

        RDS can go back to any second; here it is the last copy before it, which is one or two real
        seconds older, unless there is very much in the database.
        """
        now = time.time()
        if now < self._next.get(resource_id, 0.0):
            return
        copy = cluster.copy()
        moments = self._moments[resource_id]
        if not moments or moments[-1][1] != copy:
            moments.append((now, copy))
        self._next[resource_id] = now + max(LEAST_PAUSE_S, SPARING * (time.time() - now))

    def at(self, resource_id: str, moment: float) -> bytes:
        """Return what was in a database at a moment; nothing if it was empty."""
        before = [copy for since, copy in self._moments[resource_id] if since <= moment]
        return before[-1] if before else b""

    def keep_snapshot(self, key: str, cluster: RancherCluster | None) -> None:
        """Copy a database for a snapshot, once."""
        if key not in self._snapshots:
            self._snapshots[key] = cluster.copy() if cluster is not None else b""

    def of_snapshot(self, key: str) -> bytes:
        """Return what is in a snapshot; nothing if the database was empty."""
        return self._snapshots.get(key, b"")

    def forget_but(self, snapshots: Collection[str]) -> None:
        """Forget the copies of snapshots that are no more."""
        self._snapshots = {key: self._snapshots[key] for key in snapshots if key in self._snapshots}
