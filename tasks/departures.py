"""Servers that go one at a time, each only while all others pass the gate.

So never more than one is away. One leaves the load balancer, ends what it was asked, and is ended
by its group. Each step looks before it acts: whatever a run that died has done, the next one finds.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Protocol

from corral.clients.polling import Waiting, wait_until
from corral.domain.servers import (
    DRAINING,
    NOT_REGISTERED,
    Renewal,
    Server,
    ServerGroup,
    find_hindrances,
    find_intruder,
    find_other_size,
    next_to_go,
    next_to_renew,
)
from corral.errors import GateTimeoutError, PrerequisiteError


class ServersPlace(Protocol):
    """What is asked of the servers' group, their load balancer and Rancher, and done to them."""

    def read(self) -> ServerGroup:
        """Return the group and its servers."""

    def gate(self, size: int, spared: Collection[str]) -> Callable[[], Sequence[str]]:
        """Return what looks whether so many servers are one cluster, but for those spared."""

    def leave(self, instance_id: str) -> None:
        """Take a server out of the load balancer."""

    def replace(self, instance_id: str) -> None:
        """Have the group end a server and start another."""

    def remove(self, instance_id: str, size: int) -> None:
        """Have the group end a server and get along with fewer: with so many."""


@dataclass(frozen=True, slots=True)
class GatePatience:
    """How long a gate may stay shut, how often it is looked at, and how many looks open it."""

    deadline: timedelta
    interval: timedelta
    passes: int


@dataclass(slots=True)
class Watch:
    """Has servers go and looks what becomes of the others; hiccups cost a look each."""

    place: ServersPlace
    patience: GatePatience
    tell: Callable[[Waiting], None]
    gone: list[str] = field(default_factory=list)
    """The servers that were told to go, in order."""

    def read(self) -> ServerGroup:
        """Return the group, as soon as it can be read."""
        found: list[ServerGroup] = []

        def look() -> list[str]:
            found.append(self.place.read())
            return []

        self._wait("the servers' group is read", look)
        return found[-1]

    def pass_gate(self, size: int, spared: Collection[str] = ()) -> None:
        """Wait until so many servers are one cluster, whatever those that are spared do."""
        without = f" without {', '.join(self.gone)}" if self.gone else ""
        condition = f"{size} servers are one cluster{without}"
        self._wait(condition, self.place.gate(size, spared), self.patience.passes)

    def take_away(self, instance_id: str, size: int | None = None) -> None:
        """Have a server leave the load balancer, end what it was asked, and go.

        Args:
            instance_id: Which.
            size: How many shall remain; None has the group start another in its place.

        """
        self.gone.append(instance_id)
        self._wait(f"{instance_id} is out of the load balancer", partial(self._leave, instance_id))
        self._wait(f"{instance_id} is told to end", partial(self._end, instance_id, size))

    def _leave(self, instance_id: str) -> list[str]:
        server = self.place.read().find(instance_id)
        if server is None or server.target == NOT_REGISTERED:
            return []
        if server.target != DRAINING:
            self.place.leave(instance_id)
        return [f"{instance_id} is {server.target} there"]

    def _end(self, instance_id: str, size: int | None) -> list[str]:
        # Read first: an order may have been heard although its answer was lost.
        group = self.place.read()
        if group.find(instance_id) is None:
            return []
        if size is None:
            self.place.replace(instance_id)
        elif group.wanted > size:
            self.place.remove(instance_id, size)
        return []

    def _wait(self, condition: str, probe: Callable[[], Sequence[str]], passes: int = 1) -> None:
        wait_until(
            condition,
            probe,
            deadline=self.patience.deadline,
            interval=self.patience.interval,
            passes=passes,
            on_wait=self.tell,
        )


def roll(watch: Watch, renewal: Renewal, count: int) -> None:
    """Replace server after server until none is left to be replaced, and pass the gate.

    It ends, since only servers are replaced that were there when it began.

    Args:
        watch: Where, and how patiently.
        renewal: Which are to be replaced.
        count: How many servers there are to be.

    Raises:
        GateTimeoutError: One did not go or did not come back; nothing after it was touched.
        PrerequisiteError: The group is not at its size, may not do what it has to, or starts new
            servers from something else meanwhile.

    """
    group = watch.read()
    refuse([*find_hindrances(group), *find_other_size(group.name, group.wanted, count)])
    _renew(watch, group, renewal)
    watch.pass_gate(count)


def shrink(watch: Watch, count: int) -> None:
    """Take server after server away until there are no more than wanted.

    One that a run which died had taken out of the load balancer is replaced, where it is to stay.

    Args:
        watch: Where, and how patiently.
        count: How many servers there are to be.

    Raises:
        GateTimeoutError: One did not go, or the others are not one cluster without it.
        PrerequisiteError: The group may not do what it has to.

    """
    refuse(find_hindrances(watch.read()))
    _in_turn(watch, partial(next_to_go, count=count), smaller=True)
    group = watch.read()
    _renew(watch, group, None)
    if watch.gone:
        watch.pass_gate(group.wanted)


def refuse(obstacles: Iterable[str]) -> None:
    """See to it that there are no obstacles.

    Raises:
        PrerequisiteError: There are; all are named.
    """
    if found := " ".join(obstacles):
        raise PrerequisiteError(f"{found} Nothing was changed.")


def _renew(watch: Watch, group: ServerGroup, renewal: Renewal | None) -> None:
    first = frozenset(one.instance_id for one in group.staying)

    def choose(group: ServerGroup) -> Server | None:
        if intruder := find_intruder(group, first):
            raise PrerequisiteError(_said(intruder, group))
        return next_to_renew(group, renewal, first)

    _in_turn(watch, choose, smaller=False)


def _in_turn(
    watch: Watch, choose: Callable[[ServerGroup], Server | None], *, smaller: bool
) -> None:
    """Take servers away as they are chosen, each while all others pass the gate."""
    while server := choose(group := watch.read()):
        instance_id = server.instance_id
        try:
            watch.pass_gate(group.wanted, {instance_id})
        except GateTimeoutError as error:
            raise _stopped(error, instance_id) from error
        # The world went on while the gate was looked at.
        now = watch.read()
        if (still := choose(now)) and still.instance_id == instance_id:
            watch.take_away(instance_id, now.wanted - 1 if smaller else None)


def _stopped(error: GateTimeoutError, instance_id: str) -> GateTimeoutError:
    said = f"it stops here: {instance_id} would have been next, and is left as it is"
    return GateTimeoutError(error.condition, error.deadline, [*error.failures, said])


def _said(intruder: Server, group: ServerGroup) -> str:
    return (
        f"The roll of {group.name} stops: {intruder} came up after it began, from"
        f" {intruder.version or 'no launch template'}, while the group starts {group.version}: see"
        " who else changes its launch template, then run again; the others are left as they are."
    )
