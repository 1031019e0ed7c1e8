"""Replacing a pool's machines a few at a time: which are outdated, which go next, what is missing.

Nothing here knows how AWS or Rancher spell a machine or a host.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from corral.domain.hosts import Host

LEAVING = "Terminating"
CYCLE = ("Pending", "InService", "Terminat")
"""How the states begin by which machines come, work and go.

All others are set aside: `Standby`, `Detaching`, ... They count for nothing in the group's size.
Source: Auto Scaling user guide, instance lifecycle.
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """One member of a pool's group."""

    instance_id: str
    lifecycle: str
    """As Auto Scaling spells it: `InService`, `Terminating:Wait`, ..."""
    version: str
    """Id and version of the launch template that it was started from; empty if from none."""

    @property
    def is_leaving(self) -> bool:
        """Whether its group is ending it already."""
        return self.lifecycle.startswith(LEAVING)

    @property
    def is_set_aside(self) -> bool:
        """Whether somebody took it out of its group's work; it is theirs then."""
        return not self.lifecycle.startswith(CYCLE)

    def __str__(self) -> str:
        """For people."""
        return f"{self.instance_id} ({self.lifecycle})"


@dataclass(frozen=True, slots=True)
class PoolMachines:
    """A pool's group as it is at one moment."""

    group: str
    wanted: int
    """How many machines it shall have."""
    version: str
    """What it starts new machines from."""
    machines: tuple[Machine, ...]
    launch_failure: str = ""
    """Why it could not start its newest machine."""

    @property
    def outdated(self) -> tuple[Machine, ...]:
        """The machines that were started from something else, in order."""
        old = (
            machine
            for machine in self.machines
            if machine.version != self.version and not machine.is_set_aside
        )
        return tuple(sorted(old, key=lambda machine: machine.instance_id))

    @property
    def set_aside(self) -> tuple[Machine, ...]:
        """The machines that nobody but who set them aside may touch."""
        return tuple(machine for machine in self.machines if machine.is_set_aside)

    def staying_without(self, gone: Collection[str]) -> list[Machine]:
        """Return the machines that count for its size, as soon as some are gone."""
        return [
            machine
            for machine in self.machines
            if machine.instance_id not in gone
            and not machine.is_leaving
            and not machine.is_set_aside
        ]


def next_batch(pool: PoolMachines, at_once: int, active: Collection[str]) -> tuple[Machine, ...]:
    """Return the machines to replace now; none, where every machine is up to date.

    Those that are leaving already, by a run that died, count first: no more than `at_once` are
    away at a time. Then come those that are no use as they are.

    Args:
        pool: Its group.
        at_once: How many may be away at a time.
        active: Instances whose host is active in Rancher.

    """
    leaving = tuple(machine for machine in pool.outdated if machine.is_leaving)
    staying = [machine for machine in pool.outdated if not machine.is_leaving]
    staying.sort(key=lambda machine: machine.instance_id in active)
    return leaving + tuple(staying[: max(0, at_once - len(leaving))])


def find_gaps(pool: PoolMachines, hosts: Sequence[Host], gone: Collection[str]) -> list[str]:
    """Return what keeps a pool from losing its next machines, a sentence each.

    It may lose some if those that were replaced are gone, from the group and from Rancher, its
    group has as many machines as it wants, and each that is up to date is an active host. One that
    is outdated may be as it likes: it goes soon.

    Args:
        pool: Its group.
        hosts: Rancher's rows of all its environment's hosts.
        gone: The instances that were replaced.

    """
    gaps = [
        f"the old host {host.id} of {host.instance_id} is {host.state}"
        for host in hosts
        if host.instance_id in gone
    ]
    staying = pool.staying_without(gone)
    gaps += [
        f"{machine.instance_id} is {machine.lifecycle} in {pool.group}"
        for machine in pool.machines
        if machine.instance_id in gone
    ]
    if len(staying) < pool.wanted:
        why = f": {pool.launch_failure}" if pool.launch_failure else ""
        gaps.append(f"{pool.group} has {len(staying)} of {pool.wanted} machines{why}")
    active = active_ids(hosts)
    new = (machine for machine in staying if machine.version == pool.version)
    return gaps + [_said(machine, hosts) for machine in new if machine.instance_id not in active]


def active_ids(hosts: Sequence[Host]) -> frozenset[str]:
    """Return the instances whose host is active."""
    return frozenset(host.instance_id for host in hosts if host.is_active)


def _said(machine: Machine, hosts: Sequence[Host]) -> str:
    rows = [host for host in hosts if host.instance_id == machine.instance_id]
    if not rows:
        return f"the new {machine.instance_id}, {machine.lifecycle}, has not joined"
    row = max(rows, key=lambda host: host.created)
    return f"the new {machine.instance_id} is host {row.id}, {row.state}"
