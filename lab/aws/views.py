"""What other parts of the lab get to see of AWS: plain values, nothing of moto."""

from dataclasses import dataclass, field
from typing import Final

ANSWERING: Final = frozenset(
    {"available", "backing-up", "modifying", "resetting-master-credentials"}
)
"""Statuses of a database that can be used.

Source: RDS user guide, "Viewing Amazon RDS DB instance status".
"""


@dataclass(frozen=True, slots=True)
class InstanceView:
    """One EC2 instance."""

    id: str
    state: str
    private_ip: str
    private_dns: str
    subnet_id: str
    zone: str
    image_id: str
    instance_type: str
    profile: str
    """Name of the instance profile; empty without one."""
    user_data: str
    """Decoded; empty without any."""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeededInstance:
    """An instance that is to be known to EC2 and never boots."""

    id: str
    private_ip: str
    alive: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """What an RDS instance was restored from: a snapshot, or another one as it was at a moment."""

    snapshot: str = ""
    """Key of the snapshot."""
    resource_id: str = ""
    moment: float | None = None
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class SnapshotView:
    """One snapshot of an RDS instance."""

    key: str
    """Its identity: another one may come to have the same name."""
    resource_id: str
    """Of the instance it was taken of."""


@dataclass(frozen=True, slots=True)
class DatabaseView:
    """One RDS instance."""

    identifier: str
    status: str
    address: str
    port: int
    database_name: str
    username: str
    password: str = field(repr=False)
    resource_id: str
    """Its identity: another instance may come to have the same name."""
    engine_version: str
    refuses_plain: bool = False
    """Whether its parameter group demands TLS."""
    origin: Origin | None = None

    @property
    def answers(self) -> bool:
        """Say whether MySQL runs on it."""
        return self.status in ANSWERING

    @classmethod
    def gone(cls) -> "DatabaseView":
        """Return what is left of a database that is no more."""
        return cls("", "deleted", "", 0, "", "", "", "", "")


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How a target group's targets are examined."""

    path: str
    port: int
    """0 means the port that the target gets its traffic on."""
    interval_s: float
    timeout_s: float
    healthy_after: int
    unhealthy_after: int
    codes: str
    """The matcher, such as `200` or `200-299,301`."""


@dataclass(frozen=True, slots=True)
class TargetView:
    """One target that the load balancer may send to."""

    id: str
    private_ip: str
    port: int
    running: bool
    health: str


@dataclass(frozen=True, slots=True)
class TargetGroupView:
    """One target group."""

    arn: str
    check: HealthCheck
    targets: tuple[TargetView, ...]


@dataclass(frozen=True, slots=True)
class ListenerView:
    """One listener with its default action."""

    protocol: str
    port: int
    action: str
    target_group_arn: str = ""
    redirect: dict[str, str] = field(default_factory=dict)
    fixed_status: int = 200
    fixed_body: str = ""


@dataclass(frozen=True, slots=True)
class LoadBalancerView:
    """One application load balancer."""

    arn: str
    dns_name: str
    idle_timeout_s: float
    listeners: tuple[ListenerView, ...]
