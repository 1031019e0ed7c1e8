"""A small world for tests of the drain: machines, their hosts, their groups, and a queue."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from corral.clients.aws import Message
from corral.clients.rancher import Patience
from corral.domain.herd import Instance, Rule
from corral.domain.hosts import Host
from corral.domain.lifecycle import Termination
from corral.errors import CorralError, RancherConflictError, RancherGoneError
from tasks.draining import Draining
from tasks.roster import Roster

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GROUP, HOOK, POOL = "lab-web", "lab-web-drain", "web"
MACHINE = "i-0123456789abcdef0"
OTHER = "i-0123456789abcdef1"
DRAIN_TIME = timedelta(minutes=10)
RULE = Rule(
    cluster="lab",
    account_id="123456789012",
    region="us-east-1",
    max_removals=5,
    max_removal_percent=20,
    max_absent_removals=1,
    join_grace=timedelta(minutes=15),
    quiet=timedelta(minutes=15),
    stuck_after=timedelta(minutes=10),
    absence=timedelta(hours=1),
)

# Source: cattle v0.183.83, spring-process-context.xml.
ACTIONS = {
    "active": frozenset({"deactivate", "evacuate", "update", "delete"}),
    "deactivating": frozenset({"remove", "delete"}),
    "inactive": frozenset({"activate", "evacuate", "remove", "update", "delete"}),
    "activating": frozenset({"deactivate", "remove", "delete"}),
    "removing": frozenset({"delete"}),
    "removed": frozenset({"purge", "delete"}),
    "purged": frozenset({"delete"}),
}

FOLLOWING = {"deactivating": "inactive", "activating": "active", "removing": "removed"}
BEGINNING = {"remove": "removing", "purge": "purged", "activate": "activating"}


def termination(instance_id: str = MACHINE, *, group: str = GROUP, ticket: str = "t-1") -> str:
    """An event as EventBridge puts it into a queue.

    Source: Amazon EC2 Auto Scaling user guide, EventBridge event reference.
    """
    return json.dumps(
        {
            "version": "0",
            "id": "12345678-1234-1234-1234-123456789012",
            "detail-type": "EC2 Instance-terminate Lifecycle Action",
            "source": "aws.autoscaling",
            "account": "123456789012",
            "time": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
            "region": "us-east-1",
            "resources": ["arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:x"],
            "detail": {
                "LifecycleActionToken": ticket,
                "AutoScalingGroupName": group,
                "LifecycleHookName": f"{group}-drain",
                "EC2InstanceId": instance_id,
                "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
                "Origin": "AutoScalingGroup",
                "Destination": "EC2",
            },
        }
    )


def spot_warning(instance_id: str = MACHINE, *, action: str = "terminate") -> str:
    """An event as EventBridge puts it into a queue.

    Source: Amazon EC2 user guide, spot instance interruption notices.
    """
    return json.dumps(
        {
            "version": "0",
            "id": "12345678-1234-1234-1234-123456789012",
            "detail-type": "EC2 Spot Instance Interruption Warning",
            "source": "aws.ec2",
            "account": "123456789012",
            "time": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
            "region": "us-east-1",
            "resources": [f"arn:aws:ec2:us-east-1a:instance/{instance_id}"],
            "detail": {"instance-id": instance_id, "instance-action": action},
        }
    )


class KilledError(Exception):
    """The process is killed, as far as the world can tell."""


@dataclass
class World:
    """Everything that a drain sees, with a clock that only pausing moves.

    `calls` is what was asked to be changed, in order. `before_call` hears the name of every call,
    and may raise.
    """

    seconds: float = 0.0
    rows: dict[str, Host] = field(default_factory=dict)
    containers: dict[str, int] = field(default_factory=dict)
    machines: dict[str, Instance] = field(default_factory=dict)
    members: dict[str, tuple[str, str]] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    """Tokens of the hooks that wait."""
    calls: list[str] = field(default_factory=list)
    before_call: Callable[[str], None] = lambda _: None
    on_pause: Callable[[], None] = lambda: None
    lists: int = 0

    # The world itself

    def pause(self, seconds: float) -> None:
        self.seconds += seconds
        self.on_pause()
        for host_id, row in self.rows.items():
            following = FOLLOWING.get(row.state)
            if following:
                self._set(host_id, following)
            elif row.state == "inactive" and self.containers.get(host_id, 0) > 0:
                self.containers[host_id] -= 1

    def add(
        self, host_id: str = "1h1", instance_id: str = MACHINE, address: str = "10.0.0.1"
    ) -> None:
        self.rows[host_id] = Host(
            id=host_id,
            project_id="1a5",
            name="",
            address=address,
            state="active",
            agent_state="active",
            labels={"aws.instance_id": instance_id},
            created=NOW - timedelta(days=1),
            actions=ACTIONS["active"],
        )

    def run(
        self, instance_id: str = MACHINE, address: str = "10.0.0.1", *, is_spot: bool = False
    ) -> None:
        self.machines[instance_id] = Instance(
            instance_id,
            "running",
            NOW - timedelta(days=2),
            address,
            f"ip-{address.replace('.', '-')}.ec2.internal" if address else "",
            "lab",
            POOL,
            is_spot,
        )
        self.members[instance_id] = (GROUP, "InService")

    def end(self, instance_id: str = MACHINE, ticket: str = "t-1") -> None:
        """Have the group hold a machine that shall go."""
        self.members[instance_id] = (GROUP, "Terminating:Wait")
        self.waiting.add(ticket)

    def die(self, instance_id: str = MACHINE) -> None:
        """Have EC2 end a machine, with no group left that has it."""
        self.members.pop(instance_id, None)
        machine = self.machines.get(instance_id)
        if machine:
            ended = replace(machine, state="terminated", private_ip="", private_dns="")
            self.machines[instance_id] = ended

    def change(self, host_id: str = "1h1", **changes: Any) -> None:
        self.rows[host_id] = replace(self.rows[host_id], **changes)

    def _set(self, host_id: str, state: str) -> None:
        self.change(
            host_id, state=state, actions=ACTIONS[state], is_removed=state in ("removed", "purged")
        )

    def _called(self, name: str, project_id: str = "1a5", *, changes: bool = False) -> None:
        assert project_id == "1a5", "hosts are asked for in their own environment"
        self.before_call(name)
        if changes:
            self.calls.append(name)

    # Rancher

    def herd(self) -> list[Host]:
        self._called("herd")
        self.lists += 1
        return [row for row in self.rows.values() if not row.is_removed]

    def host(self, project_id: str, host_id: str) -> Host | None:
        self._called("host", project_id)
        return self.rows.get(host_id)

    def is_busy(self, project_id: str, host_id: str) -> bool:
        self._called("is_busy", project_id)
        return self.containers.get(host_id, 0) > 0

    def act_on_host(self, project_id: str, host_id: str, action: str) -> None:
        self._called(f"{action} {host_id}", project_id, changes=True)
        row = self.rows.get(host_id)
        if row is None:
            raise RancherGoneError(f"no host {host_id}", status=404)
        if action not in row.actions:
            raise RancherConflictError(f"{action} is not offered", status=422)
        self._set(host_id, BEGINNING.get(action, "deactivating"))

    # EC2 and groups

    def list(self) -> Sequence[Instance]:
        self._called("list")
        return tuple(self.machines.values())

    def find(self, ids: Collection[str]) -> dict[str, Instance]:
        self._called("find")
        return {one: self.machines[one] for one in ids if one in self.machines}

    def lifecycle_states(self, ids: Collection[str]) -> dict[str, tuple[str, str]]:
        self._called("lifecycle_states")
        return {one: self.members[one] for one in ids if one in self.members}

    def complete(self, action: Termination) -> bool:
        self._called(f"complete {action.instance_id}", changes=True)
        if action.token not in self.waiting:
            return False
        self.waiting.remove(action.token)
        self.die(action.instance_id)
        return True

    def heartbeat(self, action: Termination) -> bool:
        self._called(f"heartbeat {action.instance_id}", changes=True)
        return action.token in self.waiting


class Queue:
    """A queue of SQS, as one listener sees it: what is on loan comes again when its time is over.

    Its clock is the world's; what it is told to do stands among the world's calls.
    """

    def __init__(self, world: World, *bodies: str) -> None:
        self._world = world
        self._bodies = dict(enumerate(bodies))
        self._visible_at = dict.fromkeys(self._bodies, 0.0)
        self._receives = dict.fromkeys(self._bodies, 0)
        self.failures: list[CorralError] = []

    def put(self, body: str) -> None:
        number = len(self._visible_at)
        self._bodies[number] = body
        self._visible_at[number], self._receives[number] = 0.0, 0

    def receive(self, wait_s: float, most: int = 10) -> list[Message]:
        assert 1 <= wait_s <= 20, "SQS waits so long, and with 0 looks at some of its servers only"
        if self.failures:
            raise self.failures.pop(0)
        now = self._world.seconds
        numbers = [each for each in self._bodies if self._visible_at[each] <= now][:most]
        for each in numbers:
            self._visible_at[each] = now + 60
            self._receives[each] += 1
        return [Message(f"m-{n}", f"{n}", self._bodies[n], self._receives[n]) for n in numbers]

    def delete(self, message: Message) -> None:
        self._world._called("delete", changes=True)
        self._bodies.pop(int(message.receipt), None)

    def extend(self, message: Message, seconds: float) -> None:
        self._world._called(f"extend {seconds:.0f}", changes=True)
        self._visible_at[int(message.receipt)] = self._world.seconds + seconds

    @property
    def bodies(self) -> list[str]:
        return list(self._bodies.values())


def draining(world: World, **changes: Any) -> Draining:
    """A drain of the pool web of the cluster lab, in a world."""
    patience = Patience(deadline=timedelta(seconds=120), interval=timedelta(seconds=1))
    return replace(
        Draining(
            cluster="lab",
            group_names=frozenset({GROUP}),
            rancher=world,
            ec2=world,
            groups=world,
            roster=Roster(world, world, RULE, clock=lambda: world.seconds),
            patience=patience,
            pause=world.pause,
            now=lambda: NOW + timedelta(seconds=world.seconds),
            clock=lambda: world.seconds,
        ),
        **changes,
    )


@contextmanager
def killed_at(world: World, number: int) -> Iterator[list[str]]:
    """Kill whoever makes the call of this number; yields the names of all calls up to it."""
    names: list[str] = []

    def count(name: str) -> None:
        names.append(name)
        if len(names) == number:
            raise KilledError(name)

    world.before_call = count
    try:
        yield names
    finally:
        world.before_call = lambda _: None
