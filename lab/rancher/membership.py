"""How a server takes its place among the servers of its database."""

import asyncio
import json
import logging
import time
from typing import TYPE_CHECKING

from lab.rancher import timings
from lab.rancher.rows import Membership, new_uuid

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

CLUSTER_PORT = 9345

log = logging.getLogger(__name__)


class CheckInError(Exception):
    """The server's own row is gone: others took it for dead, and it has to end."""


class Member:
    """One server's view of the cluster.

    cattle: DBDiscovery.java
    """

    def __init__(self, cluster: "RancherCluster", advertise: str | None, http_port: int) -> None:
        self._cluster = cluster
        self._clustered = advertise is not None
        self._address = advertise or "127.0.0.1"
        address = f"{self._address}:{CLUSTER_PORT}"
        self.uuid = address if self._clustered else new_uuid()
        self._config = json.dumps(
            {
                "advertiseAddress": address,
                "httpPort": http_port,
                "clustered": self._clustered,
            }
        )
        self._row: Membership | None = None
        self._seen: dict[int, tuple[int, int]] = {}
        self._listener: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen for the other servers. Nobody is greeted: that the port is open is what counts."""
        if self._clustered:
            host, port = self._cluster.world.addresses.of(self._address, CLUSTER_PORT)
            self._listener = await asyncio.start_server(_hang_up, host, port)

    async def close(self) -> None:
        """Stop listening. The row stays: it is for the others to see that it grows old."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def check_in(self) -> None:
        """Renew the own row and delete those that nobody renews.

        Raises:
            CheckInError: the own row is gone.

        """
        self._renew()
        rows = list(self._cluster.store.memberships)
        for row in rows:
            heartbeat, misses = self._seen.get(row.id, (0, 0))
            misses = misses + 1 if heartbeat == row.heartbeat else 0
            self._seen[row.id] = (row.heartbeat, misses)
            if misses > timings.CHECKIN_MISSES:
                log.info("cluster member %s is stale", row.uuid)
                self._cluster.store.memberships.drop(row)
                del self._seen[row.id]

    def _renew(self) -> None:
        """Renew the own row; the first time, make it in place of one of an earlier life.

        cattle: ClusterMembershipDAOImpl.checkin
        """
        memberships = self._cluster.store.memberships
        now = int(time.time() * 1000)
        known = memberships.where("uuid", self.uuid)
        if self._row is not None:
            if not known:
                raise CheckInError("Failed to update check-in, registration deleted")
            known[0].heartbeat = now
            return
        for row in known:
            memberships.drop(row)
        row = Membership(kind="clusterMembership", uuid=self.uuid, created=time.time())
        row.heartbeat, row.config, row.clustered = now, self._config, self._clustered
        self._row = memberships.add(row)

    def _master(self) -> Membership | None:
        return min(self._cluster.store.memberships, key=lambda row: row.id, default=None)

    async def is_ready(self) -> bool:
        """Say whether the server may finish its start.

        A clustered server has to reach the master; a server alone has to be it.
        """
        master = self._master()
        if master is self._row:
            return True
        if master is None or not self._clustered or not master.clustered:
            return False
        return await self._reaches(master)

    async def _reaches(self, master: Membership) -> bool:
        host, port = self._cluster.world.addresses.of(master.uuid.partition(":")[0], CLUSTER_PORT)
        try:
            async with asyncio.timeout(self._cluster.world.seconds(timings.MASTER_TRY)):
                _, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError):
            log.info("Failed to connect to master at %s", master.uuid)
            return False
        writer.close()
        return True


async def _hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
