"""A world in memory: what is true of machines, what EC2 says of them, and what Rancher believes.

It keeps the truth apart from both views, so that harm can be seen: whoever takes a host out while
its machine lives, or leaves it out of service, is written down in `harm`.

Source of Rancher's side: cattle's states and timings as in Rancher 1.6 (a ping every 5 s, silent
after six, given up 180 s later; `remove` is offered to what is not active; removed rows leave lists
and are found by id for two more days). Of EC2's: terminated instances are listed for about an hour.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from corral.clients.rancher.answers import SettingAnswer
from corral.domain.gate import Member
from corral.domain.herd import Instance
from corral.domain.hosts import Host
from corral.domain.set_up.environments import KnownProject
from corral.errors import (
    AwsUnavailableError,
    RancherConflictError,
    RancherGoneError,
    RancherUnreachableError,
)

CLUSTER = "lab"
PROJECT = "1a5"
OTHER_PROJECT = "1a7"
REGION = "us-east-1"
ACCOUNT = "123456789012"
RECONNECTING_AFTER = timedelta(seconds=45)
DISCONNECTED_AFTER = timedelta(seconds=225)
EC2_FORGETS_AFTER = timedelta(hours=1)
OUT_OF_SERVICE = ("deactivating", "inactive", "activating")
STEP = timedelta(seconds=2)
"""How long a process of Rancher takes."""


class Killed(BaseException):
    """The run's process is gone between two calls."""


@dataclass
class Machine:
    """The truth about one machine."""

    instance_id: str
    address: str
    launched: datetime
    pool: str
    power: str = "running"
    """As EC2 spells it."""
    reachable: bool = True
    died: datetime | None = None
    recorded: bool = False
    """Whether its group wrote down that it ended it."""

    @property
    def is_dead(self) -> bool:
        return self.power == "terminated"

    @property
    def answers(self) -> bool:
        return self.power == "running" and self.reachable


@dataclass
class Row:
    """One host in Rancher's table, and the machine that its agent runs on."""

    id: str
    project: str
    machine: Machine
    created: datetime
    labels: dict[str, str]
    heard: datetime
    state: str = "active"
    changes_at: datetime | None = None
    """When the state it is in ends by itself."""
    stuck: bool = False
    limbo: str = ""
    """The state of an agent that never came up; empty for one that did."""
    silenced: bool = False
    """Whether no agent speaks for the row any more: it was removed, or the machine joined anew."""

    @property
    def lives(self) -> bool:
        return not self.machine.is_dead and not self.silenced


@dataclass
class Faults:
    """What goes wrong with the lists of the next run."""

    rancher: str = ""
    """`error` or empty."""
    ec2: str = ""
    """What EC2's list is: `error`, `empty`, `short`, `stale`, `foreign`, `region` or empty."""
    ec2_by_id: str | None = None
    """What EC2 says of single instances, likewise; None if that is the same."""
    short_of: frozenset[str] = frozenset()
    stale: tuple[Instance, ...] = ()


@dataclass
class World:
    """Everything there is; speaks as Rancher, EC2 and the groups to a reconcile."""

    now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)
    machines: dict[str, Machine] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    servers: dict[str, datetime] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    lying_since: datetime | None = None
    """When EC2 began to lie; None once somebody was told the truth."""
    harm: list[str] = field(default_factory=list)
    taken_out: set[str] = field(default_factory=set)
    """Hosts that the run has taken out of service."""
    surprises: list[Callable[[], None]] = field(default_factory=list)
    """What happens while the run pauses, one after the other."""
    calls: int = 0
    kill_at: int | None = None
    """The call before which the run dies."""
    numbers: int = 0

    # what happens

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def launch(self, pool: str = "web", address: str | None = None) -> Machine:
        self.advance(STEP)  # no two things happen at the same moment
        number = self.number()
        machine = Machine(
            f"i-{number:017x}", address or f"10.20.{number // 250}.{number % 250}", self.now, pool
        )
        self.machines[machine.instance_id] = machine
        return machine

    def join(self, machine: Machine, labels: Mapping[str, str] | None = None) -> Row:
        given = {
            "aws.instance_id": machine.instance_id,
            "aws.account_id": ACCOUNT,
            "aws.region": REGION,
            "env": CLUSTER,
            "role": machine.pool,
        }
        for former in self.rows.values():
            former.silenced = former.silenced or former.machine is machine
        row = Row(
            f"1h{self.number()}",
            PROJECT if machine.pool == "web" else OTHER_PROJECT,
            machine,
            self.now,
            given if labels is None else dict(labels),
            self.now,
        )
        self.rows[row.id] = row
        return row

    def end(self, machine: Machine, *, recorded: bool) -> None:
        machine.power, machine.died, machine.recorded = "terminated", self.now, recorded

    def resurrect(self, machine: Machine, *, answers: bool) -> None:
        """Have a machine live that everybody took for dead."""
        machine.power, machine.died, machine.recorded = "running", None, False
        machine.reachable = answers

    def is_forgotten(self, machine: Machine) -> bool:
        """Say whether EC2 lists a machine no more."""
        return machine.died is not None and self.now - machine.died > EC2_FORGETS_AFTER

    def pause(self, seconds: float) -> None:
        """Let time pass for a run, in which the world does not stand still."""
        if self.surprises:
            self.surprises.pop(0)()
        self.advance(timedelta(seconds=seconds))

    def begin_run(self) -> None:
        self.taken_out.clear()

    def end_run(self, told: Collection[str]) -> None:
        """Write down which hosts a run has left out of service although their machines live.

        Args:
            told: Hosts of which people were told just that.
        """
        for row in self.rows.values():
            is_out = row.id in self.taken_out and row.state in OUT_OF_SERVICE
            if is_out and row.lives and row.id not in told:
                self.harm.append(f"{row.id} is {row.state}, whose machine is {row.machine.power}")

    def restart_servers(self) -> None:
        self.servers = {f"1cm{self.number()} 10.20.0.{place}": self.now for place in (1, 2, 3)}

    def advance(self, by: timedelta) -> None:
        """Let time pass: agents are heard or not, processes of Rancher end."""
        before, self.now = self.now, self.now + by
        for row in self.rows.values():
            if row.machine.answers and not row.silenced:
                row.heard, row.limbo = self.now, ""
            elif row.heard > before:
                row.heard = before
            self._settle(row)

    def _settle(self, row: Row) -> None:
        if row.changes_at is None or row.changes_at > self.now or row.stuck:
            return
        ends = {
            "activating": "active",
            "deactivating": "inactive",
            "removing": "removed",
            "purging": "purged",
        }
        row.state = ends.get(row.state, row.state)
        row.changes_at = None

    # the truth

    def living(self) -> list[Machine]:
        return [machine for machine in self.machines.values() if not machine.is_dead]

    def phantoms(self) -> list[Row]:
        """Return the hosts of dead machines that are still in Rancher's lists."""
        left = (row for row in self.rows.values() if row.state not in ("removed", "purged"))
        return [row for row in left if row.machine.is_dead]

    # Rancher's API

    def projects(self) -> list[KnownProject]:
        self.count_call()
        self._break_rancher()
        names = {PROJECT: "web", OTHER_PROJECT: "batch"}
        return [KnownProject(id=key, name=name, state="active") for key, name in names.items()]

    def herd(self) -> list[Host]:
        self.count_call()
        self._break_rancher()
        shown = (row for row in self.rows.values() if row.state not in ("removed", "purged"))
        return [self._host(row) for row in shown]

    def host(self, project_id: str, host_id: str) -> Host | None:
        self.count_call()
        row = self.rows.get(host_id)
        return self._host(row) if row and row.project == project_id else None

    def act_on_host(self, project_id: str, host_id: str, action: str) -> None:
        self.count_call()
        row = self.rows[host_id]
        if row.project != project_id:
            raise RancherGoneError(f"{project_id} has no host {host_id}", status=404)
        if action not in self._offered(row):
            raise RancherConflictError(f"{action} is not offered to {host_id}", status=422)
        if action in ("deactivate", "remove", "evacuate") and row.lives:
            self.harm.append(f"{action} of {host_id}, whose machine is {row.machine.power}")
        if action in ("deactivate", "evacuate") and row.state == "active":
            self.taken_out.add(host_id)
        row.state = {
            "activate": "activating",
            "deactivate": "deactivating",
            "evacuate": "deactivating",
            "remove": "removing",
            "purge": "purging",
        }[action]
        row.silenced = row.silenced or action == "remove"
        row.changes_at = self.now + STEP

    def is_busy(self, project_id: str, host_id: str) -> bool:  # noqa: ARG002 - containers are not played
        return False

    def members(self) -> tuple[Member, ...] | str:
        self.count_call()
        return tuple(
            Member(address=name.split()[1], clustered=True, heartbeat=self.now, id=name.split()[0])
            for name in self.servers
        )

    def setting(self, name: str) -> SettingAnswer:
        self.count_call()
        return SettingAnswer(name=name, value="-1")

    def _host(self, row: Row) -> Host:
        agent = self._agent(row)
        return Host(
            id=row.id,
            project_id=row.project,
            name=f"host {row.id}",
            hostname=_dns(row.machine.address),
            address=row.machine.address,
            state=agent if row.state == "active" else row.state,
            agent_state=agent,
            labels=row.labels,
            created=row.created,
            actions=self._offered(row),
        )

    def _agent(self, row: Row) -> str:
        if row.limbo:
            return row.limbo
        silence = self.now - row.heard
        if silence >= DISCONNECTED_AFTER:
            return "disconnected"
        return "reconnecting" if silence >= RECONNECTING_AFTER else "active"

    @staticmethod
    def _offered(row: Row) -> frozenset[str]:
        return frozenset(
            {
                "active": {"deactivate", "evacuate", "update", "delete"},
                "deactivating": {"remove", "delete"},
                "inactive": {"activate", "evacuate", "remove", "update", "delete"},
                "removed": {"purge"},
            }.get(row.state, set())
        )

    # EC2's and the groups' API

    def _answer(self, fault: str) -> list[Instance]:
        self.count_call()
        self.lying_since = (self.lying_since or self.now) if fault else None
        match fault:
            case "error":
                raise AwsUnavailableError("DescribeInstances", "RequestLimitExceeded", "slow down")
            case "empty":
                return []
            case "foreign":
                return [_foreign(number) for number in range(len(self.machines) + 1)]
            case "region":
                return [_twin(_instance(machine)) for machine in self.machines.values()]
            case "stale":
                return [*self.faults.stale]
            case "short":
                return [one for one in self._known() if one.id not in self.faults.short_of]
        return [*self._known()]

    def list(self) -> list[Instance]:
        return self._answer(self.faults.ec2)

    def find(self, ids: Collection[str]) -> dict[str, Instance]:
        by_id, listed = self.faults.ec2_by_id, self.faults.ec2
        known = self._answer(listed if by_id is None else by_id)
        return {one.id: one for one in known if one.id in ids}

    def terminations(self, names: Collection[str], ids: Collection[str]) -> dict[str, str]:
        self.count_call()
        known = {id_: self.machines[id_] for id_ in ids if id_ in self.machines}
        return {
            id_: f"terminated by {CLUSTER}-{machine.pool}"
            for id_, machine in known.items()
            if machine.recorded and f"{CLUSTER}-{machine.pool}" in names
        }

    def members_of(self, names: Collection[str]) -> dict[str, str]:
        """Return the members of groups; one that is stopped is in standby, or it were replaced."""
        self.count_call()
        groups = {one.instance_id: f"{CLUSTER}-{one.pool}" for one in self.living()}
        return {id_: group for id_, group in groups.items() if group in names}

    def lifecycle_states(self, ids: Collection[str]) -> dict[str, tuple[str, str]]:
        self.count_call()
        known = {id_: self.machines[id_] for id_ in ids if id_ in self.machines}
        return {
            id_: (f"{CLUSTER}-{machine.pool}", "InService")
            for id_, machine in known.items()
            if not machine.is_dead
        }

    def snapshot(self) -> tuple[Instance, ...]:
        return tuple(self._known())

    def _known(self) -> Iterable[Instance]:
        for machine in self.machines.values():
            if not self.is_forgotten(machine):
                yield _instance(machine)

    # what breaks

    def count_call(self) -> None:
        self.calls += 1
        if self.kill_at is not None and self.calls >= self.kill_at:
            raise Killed

    def _break_rancher(self) -> None:
        if self.faults.rancher:
            raise RancherUnreachableError("GET /v2-beta/hosts answered 503", status=503)


def _instance(machine: Machine) -> Instance:
    address = "" if machine.is_dead else machine.address
    return Instance(
        id=machine.instance_id,
        state=machine.power,
        launched=machine.launched,
        private_ip=address,
        private_dns=_dns(address) if address else "",
        cluster=CLUSTER,
        pool=machine.pool,
        is_spot=False,
    )


def _twin(instance: Instance) -> Instance:
    """Return the instance that a cluster of the same name has at this place in another region."""
    return replace(instance, id=f"i-e{instance.id[3:]}")


def _foreign(number: int) -> Instance:
    """Return an instance of somebody else's account."""
    return Instance(
        id=f"i-f{number:016x}",
        state="running",
        launched=datetime(2026, 1, 1, tzinfo=UTC),
        private_ip=f"172.16.0.{number % 250}",
        private_dns=_dns(f"172.16.0.{number % 250}"),
        cluster="",
        pool="",
        is_spot=False,
    )


def _dns(address: str) -> str:
    return f"ip-{address.replace('.', '-')}.ec2.internal"
