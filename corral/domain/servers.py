"""Taking Rancher's servers away one at a time: which goes next, and what forbids to begin.

Whether the others are well is the gate's to say; nothing here waits or asks anybody.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from corral.domain.gate import HEALTHY_TARGET
from corral.domain.rolling import Machine

NOT_REGISTERED = ""
DRAINING = "draining"

NEEDED = ("AddToLoadBalancer", "Launch", "Terminate")
"""What a group has to do by itself while its servers are taken away.

Source: Auto Scaling user guide, suspend and resume processes.
"""


@dataclass(frozen=True, slots=True)
class Server(Machine):
    """One member of the servers' group, as Auto Scaling, EC2 and the load balancer know it."""

    zone: str
    launched: datetime | None
    """None where EC2 does not know it (yet, or any more)."""
    target: str
    """The load balancer's verdict: `healthy`, `draining`, ...; empty if it is no target."""

    @property
    def is_out(self) -> bool:
        """Whether the load balancer sends it nothing new, although its group has it in service."""
        return self.target in (NOT_REGISTERED, DRAINING)


@dataclass(frozen=True, slots=True)
class ServerGroup:
    """The servers' group as it is at one moment."""

    name: str
    wanted: int
    """How many servers it shall have."""
    version: str
    """What it starts new servers from."""
    servers: tuple[Server, ...]
    suspended: frozenset[str] = frozenset()
    """What it was told not to do, as Auto Scaling spells it: `Launch`, ..."""

    @property
    def staying(self) -> tuple[Server, ...]:
        """The servers that count for its size."""
        return tuple(one for one in self.servers if not (one.is_leaving or one.is_set_aside))

    def find(self, instance_id: str) -> Server | None:
        """Return one of those that stay; None if it is not among them."""
        return next((one for one in self.staying if one.instance_id == instance_id), None)


@dataclass(frozen=True, slots=True)
class Renewal:
    """Which servers a roll replaces, besides those of another launch template."""

    launched_before: datetime | None = None
    """Those that started before this moment; None means that their age does not matter."""
    all: bool = False
    """Every one that is there when the roll begins."""

    def wants(self, server: Server, version: str) -> bool:
        """Say whether a server is to be replaced by one of its group's version."""
        if self.all or server.version != version:
            return True
        if self.launched_before is None or server.launched is None:
            return False
        return server.launched < self.launched_before


def next_to_renew(
    group: ServerGroup, renewal: Renewal | None, first: Collection[str]
) -> Server | None:
    """Return the server to replace next; None, where no more is to be replaced.

    First comes what is out of the load balancer already, by a run that died; then what is no use
    as it is; then the oldest.

    Args:
        group: The servers' group.
        renewal: Which are to be replaced; None means only those that are out.
        first: The servers that were there when the roll began: what came later is new.

    """
    due = [
        one
        for one in group.staying
        if one.instance_id in first
        and (one.is_out or (renewal is not None and renewal.wants(one, group.version)))
    ]
    return min(due, key=lambda one: (*_use(one), *_age(one)), default=None)


def next_to_go(group: ServerGroup, count: int) -> Server | None:
    """Return the server to take away next; None, where there are no more than wanted.

    After what is out or no use comes what was started from something older; then one of the
    fullest zone, so that the group has no reason to even its zones out by itself.

    Args:
        group: The servers' group.
        count: How many are to remain.

    """
    if group.wanted <= count:
        return None
    zones = Counter(one.zone for one in group.staying)
    return min(
        group.staying,
        key=lambda one: (*_use(one), one.version == group.version, -zones[one.zone], *_age(one)),
        default=None,
    )


def find_intruder(group: ServerGroup, first: Collection[str]) -> Server | None:
    """Return a server that came after the roll began, but not from what its group starts now."""
    late = (one for one in group.staying if one.instance_id not in first)
    return next((one for one in late if one.version != group.version), None)


def find_hindrances(group: ServerGroup) -> Iterator[str]:
    """Yield one sentence for each thing that keeps servers from being taken away and started."""
    if suspended := sorted(group.suspended.intersection(NEEDED)):
        yield (
            f"The group {group.name} was told to suspend {', '.join(suspended)}: resume it, with"
            f" aws autoscaling resume-processes --auto-scaling-group-name {group.name}."
        )
    for one in group.servers:
        if one.is_set_aside:
            yield (
                f"{one} was set aside by somebody in {group.name}: put it back into service, or"
                " end it."
            )


def find_other_size(group: str, size: int, count: int) -> Iterator[str]:
    """Yield a sentence where a group is not at the size that the cluster file says."""
    if size != count:
        yield (
            f"The group {group} has {size} servers, but control.count says {count}: change their"
            " number first, with scale-control-plane."
        )


def _use(server: Server) -> tuple[bool, bool]:
    """Sort by what is lost without a server: nothing first."""
    return (not server.is_out, server.target == HEALTHY_TARGET)


def _age(server: Server) -> tuple[float, str]:
    """Sort by age, the oldest first; one that EC2 does not know is old."""
    return (server.launched.timestamp() if server.launched else 0.0, server.instance_id)
