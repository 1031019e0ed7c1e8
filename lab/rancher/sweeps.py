"""What the servers clean up by themselves: removed rows, and hosts that stay disconnected."""

import time
from typing import TYPE_CHECKING

from lab.rancher import timings
from lab.rancher.engine import ProcessCancelledError
from lab.rancher.rows import Host
from lab.rancher.state_tables import TABLES
from lab.rancher.states import ACTIVE, DISCONNECTED, INACTIVE, PURGED, REMOVED

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster


class Sweeps:
    """The tasks that run once a minute."""

    def __init__(self, cluster: "RancherCluster") -> None:
        self._cluster = cluster
        cluster.clockwork.every(timings.PURGE_SWEEP, self.purge)
        cluster.clockwork.every(timings.HOST_REMOVE_SWEEP, self.remove_hosts)

    def purge(self) -> None:
        """Purge what was removed and is past its time; forget what was purged long ago.

        cattle: PurgeMonitorImpl.java, main_tables.purge.after.seconds
        """
        now = time.time()
        oldest = now - self._cluster.world.seconds(timings.ROW_AGE)
        for base in TABLES:
            table = self._cluster.store.table(base)
            for row in table:
                if row.removed is None:
                    continue
                if row.state == REMOVED and row.remove_time is not None and row.remove_time < now:
                    self._cluster.engine.start(base, row, "purge")
                elif row.state == PURGED and row.removed < oldest:
                    table.drop(row)

    def remove_hosts(self) -> None:
        """Remove hosts whose agents are disconnected for too long, if that is switched on.

        It asks nobody whether their machines live.
        cattle: HostRemoveMonitorImpl.java, HostDaoImpl.java
        """
        settings = self._cluster.settings()
        self._fill_dates(settings.number("host.remove.delay.seconds"))
        quiet = self._cluster.world.seconds(settings.number("host.remove.delay.startup.seconds"))
        if self._cluster.up_for() <= quiet:
            return
        for host in self._cluster.store.hosts:
            if self._is_overdue(host):
                self._remove(host)

    def _fill_dates(self, delay: float) -> None:
        """Date what has no date; the setting of an environment does not do this.

        cattle: HostDaoImpl.updateNullUpdatedHosts
        """
        if delay < 0:
            return
        date = time.time() + self._cluster.world.seconds(delay)
        for host in self._cluster.store.hosts:
            if host.remove_after is None:
                host.remove_after = date

    def _is_overdue(self, host: Host) -> bool:
        agent = self._cluster.store.agents.get(host.agent_id)
        return (
            agent is not None
            and agent.state == DISCONNECTED
            and host.state in (ACTIVE, INACTIVE)
            and host.remove_after is not None
            and host.remove_after < time.time()
        )

    def _remove(self, host: Host) -> None:
        try:
            self._cluster.engine.start("host", host, "deactivate", ("remove",))
        except ProcessCancelledError:
            return
