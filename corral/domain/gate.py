"""When may a control plane be used? Readings in, failures with since-when out.

Nothing here waits or asks anybody.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

HEALTHY_TARGET = "healthy"
GOOD_PING = "200 pong"
GOOD_UPGRADE = "101"

NO_CONNECTION = "no connection"
"""How the answer of somebody begins who was never reached."""

# Servers check in each 5 s and drop a row after three missed looks. Rows are compared with the
# newest one, never with the local clock. Source: cattle, DBDiscovery.java.
STALE_AFTER = timedelta(seconds=30)

VERSION = re.compile(r"v\d+(\.\d+)+\S*")

UNREACHED = (
    " (nobody has answered there so far: the address of this worker must be in"
    " network.admin_networks)"
)

UNREGISTERED = "not registered (roll-control-plane replaces a server that stays so)"
"""A new server is so for a moment; one that a roll which died had taken out is so for good."""

Finding = tuple[str, str, str]
"""Check, subject, and what was answered."""


@dataclass(frozen=True, slots=True)
class Node:
    """A machine that runs one of Rancher's servers."""

    instance_id: str
    address: str

    def __str__(self) -> str:
        """Name a node as a person would look for it."""
        return f"{self.instance_id} ({self.address})"


@dataclass(frozen=True, slots=True)
class Member:
    """A server as Rancher's own list of members has it."""

    address: str
    clustered: bool
    heartbeat: datetime
    id: str = ""
    """The row's; a server that starts again gets a new one."""


@dataclass(frozen=True, slots=True)
class GateReading:
    """What everybody answered at one moment; each answer in the words of who gave it."""

    nodes: tuple[Node, ...]
    targets: Mapping[str, str]
    """Instance id to the load balancer's verdict, `healthy` or the reason why not."""
    ping: str
    version: str
    upgrade: str
    """The answer to a WebSocket upgrade through the load balancer."""
    members: tuple[Member, ...] | str
    """The members, or what was answered instead."""
    launch_failure: str = ""
    """Why the group could not start its newest instance; empty if it could."""
    reached: bool = True
    """Whether anybody has answered at the cluster's address, now or in an earlier reading."""


@dataclass(frozen=True, slots=True)
class GateRule:
    """What a reading must show."""

    nodes: int
    version: str
    spared: frozenset[str] = frozenset()
    """Instances of which nothing is asked, since they are about to go."""


@dataclass(frozen=True, slots=True)
class GateFailure:
    """One check that did not hold, for one node or for the cluster as a whole."""

    check: str
    subject: str
    answer: str
    since: datetime

    def __str__(self) -> str:
        """Say it as one line of an error."""
        return f"{self.check} of {self.subject}: {self.answer}, since {self.since:%H:%M:%S} UTC"


def judge_gate(
    reading: GateReading, rule: GateRule, before: Sequence[GateFailure], now: datetime
) -> list[GateFailure]:
    """Return everything that fails in one reading; nothing, if the cluster may be used.

    Args:
        reading: What everybody answered.
        rule: What they should have answered.
        before: The failures of the reading before: what failed there fails since then.
        now: When the reading was taken.
    """
    known = {(failure.check, failure.subject): failure.since for failure in before}
    found = chain(
        _group_failures(reading, rule.nodes),
        _target_failures(reading, rule.spared),
        _front_door_failures(reading, rule.version),
        _member_failures(reading, rule.spared),
    )
    return [
        GateFailure(check, subject, answer, known.get((check, subject), now))
        for check, subject, answer in found
    ]


def sizes_to_pass(current: int, wanted: int) -> tuple[int, ...]:
    """Return the sizes at which the gate must hold, in order, until a group has its full one.

    The first server must be alone with an empty database, so a smaller group has to prove itself
    before it grows.

    Source: rancher/rancher issues 7125, 14149: two servers race for the schema.
    """
    return (max(current, 1), wanted) if current < wanted else (wanted,)


def find_obstacles(
    group: str, *, size: int, wanted: int, running: str, version: str
) -> Iterator[str]:
    """Yield one sentence for each wish about living servers that a build cannot fulfil.

    Args:
        group: Name of the servers' group.
        size: How many servers it has.
        wanted: How many it is to have.
        running: The version that answers, or what was answered instead.
        version: The version that is to answer.
    """
    if size > wanted:
        yield (
            f"The group {group} has {size} servers, but control.count says {wanted}: a build"
            f" removes none, scale-control-plane does; run that, or write {size}."
        )
    if VERSION.fullmatch(running) and running != version:
        yield (
            f"Rancher {running} is running, but rancher.version says {version}: only"
            f" upgrade-rancher changes that; run it, or write {running}."
        )


def _group_failures(reading: GateReading, expected: int) -> Iterator[Finding]:
    size = len(reading.nodes)
    if size != expected:
        why = f": {reading.launch_failure}" if reading.launch_failure and size < expected else ""
        yield ("size", "the group", f"{size} of {expected} instances{why}")


def _asked(reading: GateReading, spared: frozenset[str]) -> Iterator[Node]:
    return (node for node in reading.nodes if node.instance_id not in spared)


def _target_failures(reading: GateReading, spared: frozenset[str]) -> Iterator[Finding]:
    for node in _asked(reading, spared):
        said = reading.targets.get(node.instance_id, UNREGISTERED)
        if said != HEALTHY_TARGET:
            yield ("health check", str(node), said)


def _front_door_failures(reading: GateReading, version: str) -> Iterator[Finding]:
    checks = (
        ("/ping", reading.ping, GOOD_PING),
        ("version", reading.version, version),
        ("WebSocket upgrade", reading.upgrade, GOOD_UPGRADE),
    )
    for check, said, wanted in checks:
        if said != wanted:
            hint = UNREACHED if check == "/ping" and not reading.reached else ""
            yield (check, "the load balancer", f"{said} instead of {wanted}{hint}")


def _member_failures(reading: GateReading, spared: frozenset[str]) -> Iterator[Finding]:
    if isinstance(reading.members, str):
        yield ("membership", "the cluster", reading.members)
        return
    members = {member.address: member for member in reading.members}
    newest = max((member.heartbeat for member in reading.members), default=None)
    for node in _asked(reading, spared):
        said = _member_answer(members.get(node.address), newest)
        if said:
            yield ("membership", str(node), said)
    for stranger in sorted(members.keys() - {node.address for node in reading.nodes}):
        yield ("membership", stranger, "a member, but none of the group's instances")


def _member_answer(member: Member | None, newest: datetime | None) -> str:
    if member is None or newest is None:
        return "not in the list of members"
    if not member.clustered:
        return "a member, but not clustered"
    behind = newest - member.heartbeat
    if behind > STALE_AFTER:
        return f"its heartbeat is {behind.total_seconds():.0f} s behind the newest"
    return ""
