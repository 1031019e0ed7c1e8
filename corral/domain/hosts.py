"""Hosts as corral sees them, and the question whether every pool has its own.

Nothing here knows how Rancher or AWS spell a host.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from corral.cluster import Pool

INSTANCE_LABEL = "aws.instance_id"
ACCOUNT_LABEL = "aws.account_id"
REGION_LABEL = "aws.region"
ROLE_LABEL = "role"
ENVIRONMENT_LABEL = "env"
ACTIVE = "active"
DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class Host:
    """One row of Rancher's list of hosts.

    `state` is what people see: the agent's state, while the row itself is active. `actions` are the
    names of what Rancher offers to do with it, by the row's own state; hosts share equal sets.
    """

    id: str
    project_id: str
    name: str
    address: str
    state: str
    agent_state: str
    labels: Mapping[str, str]
    created: datetime
    hostname: str = ""
    actions: frozenset[str] = frozenset()
    is_removed: bool = False

    @property
    def instance_id(self) -> str:
        """The EC2 instance that this host says it is; empty if it says nothing."""
        return self.labels.get(INSTANCE_LABEL, "")

    @property
    def is_active(self) -> bool:
        """Whether the host takes containers and its agent answers."""
        return self.state == ACTIVE and self.agent_state == ACTIVE

    @property
    def is_connected(self) -> bool:
        """Whether the agent answers, whatever is done with the host."""
        return self.agent_state == ACTIVE

    @property
    def is_disconnected(self) -> bool:
        """Whether Rancher has given up waiting for the agent; until then it may come back."""
        return self.agent_state == DISCONNECTED


@dataclass(frozen=True, slots=True)
class PoolWish:
    """What a pool must have in Rancher before a build is done.

    `labels` are those that every host of the pool must carry, `instance_ids` the instances of the
    pool's auto scaling group, `launch_failure` says why that could not start its newest one.
    """

    pool: str
    labels: Mapping[str, str]
    minimum: int
    instance_ids: frozenset[str]
    launch_failure: str = ""

    @classmethod
    def of(cls, pool: Pool, instance_ids: Iterable[str], launch_failure: str = "") -> "PoolWish":
        """Return the wish of a pool whose group has these instances."""
        labels = {**pool.labels, ROLE_LABEL: pool.role, ENVIRONMENT_LABEL: pool.environment}
        return cls(pool.name, labels, pool.minimum, frozenset(instance_ids), launch_failure)


def find_shortfalls(wishes: Sequence[PoolWish], hosts: Sequence[Host]) -> list[str]:
    """Return one sentence for each pool that lacks hosts, with what is known of every instance."""
    sentences = (_shortfall(wish, hosts) for wish in wishes)
    return [sentence for sentence in sentences if sentence]


def _shortfall(wish: PoolWish, hosts: Sequence[Host]) -> str:
    good = {host.instance_id for host in hosts if _belongs(host, wish) and host.is_active}
    if len(good) >= wish.minimum:
        return ""
    lacking = sorted(wish.instance_ids - good)
    said = [f"{i} {_said(i, wish, hosts)}" for i in lacking] or ["its group is empty"]
    why = [wish.launch_failure] if wish.launch_failure else []
    return f"{wish.pool} has {len(good)} of {wish.minimum} active hosts: {'; '.join(said + why)}"


def _belongs(host: Host, wish: PoolWish) -> bool:
    return host.instance_id in wish.instance_ids and not _wrong_labels(host, wish)


def _wrong_labels(host: Host, wish: PoolWish) -> list[str]:
    return [
        f"{label}={host.labels.get(label, '')} instead of {value}"
        for label, value in wish.labels.items()
        if host.labels.get(label) != value
    ]


def _said(instance_id: str, wish: PoolWish, hosts: Sequence[Host]) -> str:
    rows = [host for host in hosts if host.instance_id == instance_id]
    if not rows:
        return "has not joined"
    row = max(rows, key=lambda host: host.created)
    wrong = ", ".join(_wrong_labels(row, wish))
    return f"is host {row.id} with {wrong}" if wrong else f"is host {row.id}, {row.state}"
