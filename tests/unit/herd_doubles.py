"""Stand-ins for Rancher, EC2 and auto scaling groups that keep their state and what was asked."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from corral.domain.gate import Member
from corral.domain.herd import Instance, Rule
from corral.domain.hosts import Host
from corral.domain.set_up.environments import KnownProject
from corral.errors import CorralError, RancherConflictError

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=30)
ACCOUNT, REGION = "123456789012", "us-east-1"

# Stored state to the actions that Rancher offers. Source: cattle, spring-process-context.xml.
ACTIONS = {
    "active": frozenset({"deactivate", "evacuate"}),
    "inactive": frozenset({"activate", "evacuate", "remove"}),
    "removing": frozenset(),
    "removed": frozenset({"purge"}),
    "purged": frozenset(),
}
NEXT_STATE = {
    "activate": "active",
    "deactivate": "inactive",
    "remove": "removed",
    "purge": "purged",
}

RULE = Rule(
    cluster="lab",
    account_id=ACCOUNT,
    region=REGION,
    max_removals=5,
    max_removal_percent=50,
    max_absent_removals=1,
    join_grace=timedelta(minutes=15),
    quiet=timedelta(minutes=15),
    stuck_after=timedelta(minutes=10),
    absence=timedelta(),
)


def host(number: int, *, agent: str = "active", project: str = "1a5") -> Host:
    """Return a host that joined long ago from instance `i-` and its number in 17 digits."""
    return Host(
        id=f"1h{number}",
        project_id=project,
        name=f"ip-10-0-0-{number}",
        address=f"10.0.0.{number}",
        state=agent,
        agent_state=agent,
        labels={
            "aws.instance_id": instance_id(number),
            "aws.account_id": ACCOUNT,
            "aws.region": REGION,
        },
        created=LONG_AGO,
        hostname=f"ip-10-0-0-{number}.ec2.internal",
        actions=ACTIONS["active"],
    )


def instance(number: int, state: str = "running") -> Instance:
    """Return the instance of the host with this number."""
    return Instance(
        id=instance_id(number),
        state=state,
        launched=LONG_AGO - timedelta(minutes=3),
        private_ip=f"10.0.0.{number}",
        private_dns=f"ip-10-0-0-{number}.ec2.internal",
        cluster="lab",
        pool="web",
    )


def instance_id(number: int) -> str:
    return f"i-{number:017x}"


@dataclass(frozen=True)
class SettingDouble:
    effective: str


@dataclass
class RancherDouble:
    """Rancher with hosts that go through their states at once, one for each action."""

    rows: dict[str, Host]
    calls: list[str]
    remove_delay: str = "-1"
    servers: tuple[Member, ...] | str = (Member("10.0.9.1", True, NOW, "1cm1"),)  # noqa: FBT003
    stuck: frozenset[str] = frozenset()
    """Hosts that stay in `removing`."""
    refusals: dict[str, CorralError] = field(default_factory=dict)
    """Host id to what any action on it ends with."""
    before_look: Callable[[str], None] = lambda _: None
    """Called before a host is read by its id."""
    after_action: Callable[[str], None] = lambda _: None
    """Called after something was done to a host."""

    def projects(self) -> list[KnownProject]:
        self.calls.append("projects")
        return [KnownProject("1a5", "main", "active"), KnownProject("1a7", "batch", "active")]

    def setting(self, name: str) -> SettingDouble:
        self.calls.append(f"setting {name}")
        return SettingDouble(self.remove_delay)

    def herd(self) -> list[Host]:
        self.calls.append("herd")
        return [row for row in self.rows.values() if not row.is_removed]

    def members(self) -> tuple[Member, ...] | str:
        self.calls.append("members")
        return self.servers

    def host(self, project_id: str, host_id: str) -> Host | None:
        self.before_look(host_id)
        row = self.rows.get(host_id)
        return row if row and row.project_id == project_id else None

    def act_on_host(self, project_id: str, host_id: str, action: str) -> None:
        self.calls.append(f"{action} {project_id}/{host_id}")
        if host_id in self.refusals:
            raise self.refusals[host_id]
        row = self.rows[host_id]
        if action not in row.actions:
            raise RancherConflictError(f"{action} is not available", status=422)
        state = NEXT_STATE[action]
        if action == "remove" and host_id in self.stuck:
            state = "removing"
        self.rows[host_id] = replace(
            row,
            state=state,
            actions=ACTIONS[state],
            is_removed=state in ("removed", "purged"),
        )
        self.after_action(action)

    def change(self, host_id: str, **fields: object) -> None:
        self.rows[host_id] = replace(self.rows[host_id], **fields)

    def is_busy(self, project_id: str, host_id: str) -> bool:
        raise AssertionError(f"nobody asks for containers of {project_id}/{host_id}: it is dead")

    @property
    def living(self) -> list[str]:
        return [row.id for row in self.rows.values() if not row.is_removed]

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if call.split()[0] in NEXT_STATE]


@dataclass
class Ec2Double:
    """EC2 whose list may lack instances that it knows by id."""

    instances: list[Instance]
    calls: list[str]
    unlisted: list[Instance] = field(default_factory=list)
    failure: CorralError | None = None
    """What being asked by id ends with."""

    def list(self) -> list[Instance]:
        self.calls.append("instances")
        return list(self.instances)

    def find(self, ids: Collection[str]) -> dict[str, Instance]:
        self.calls.append(f"find {' '.join(sorted(ids))}")
        if self.failure:
            raise self.failure
        return {one.id: one for one in [*self.instances, *self.unlisted] if one.id in ids}


@dataclass
class GroupsDouble:
    """Auto scaling groups with their log, and the states of their members."""

    calls: list[str]
    log: dict[str, str] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    """Who is in which group."""
    states: dict[str, tuple[str, str]] = field(default_factory=dict)

    def terminations(self, names: Collection[str], ids: Collection[str]) -> dict[str, str]:
        self.calls.append(f"log of {' '.join(names)} about {' '.join(sorted(ids))}")
        return {id_: sentence for id_, sentence in self.log.items() if id_ in ids}

    def members_of(self, names: Collection[str]) -> dict[str, str]:
        self.calls.append(f"members of {' '.join(names)}")
        return {id_: group for id_, group in self.members.items() if group in names}

    def lifecycle_states(self, ids: Collection[str]) -> dict[str, tuple[str, str]]:
        self.calls.append(f"states of {' '.join(sorted(ids))}")
        return {id_: state for id_, state in self.states.items() if id_ in ids}


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def worlds(
    hosts: Sequence[Host], instances: Sequence[Instance]
) -> tuple[RancherDouble, Ec2Double, GroupsDouble]:
    """Return the three, with one list of calls between them."""
    calls: list[str] = []
    rows = {one.id: one for one in hosts}
    return RancherDouble(rows, calls), Ec2Double(list(instances), calls), GroupsDouble(calls)
