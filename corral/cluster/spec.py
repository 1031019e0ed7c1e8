"""The cluster file as a model: what each key may say; what keys must be together is in `rules`."""

from collections.abc import Iterable
from ipaddress import IPv4Network
from typing import Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from corral.cluster.furnishing import RancherSpec
from corral.cluster.pools import Pool
from corral.cluster.raw import Fault
from corral.cluster.rules import find_faults
from corral.cluster.values import (
    AccountId,
    BackupWindow,
    BucketName,
    ClusterName,
    DatabaseClass,
    Hostname,
    ImageName,
    InstanceType,
    MaintenanceWindow,
    MysqlVersion,
    Name,
    NodeCount,
    Part,
    Percent,
    Region,
)
from corral.cluster.windows import BACKUP_WINDOW, MAINTENANCE_WINDOW

# The models of each union by the key that leads to it.
KINDS = {
    "scaling": ("cpu", "queue", "schedule"),
    "access": ("local", "github"),
    "registries": ("password", "ecr"),
}


class AwsPlace(Part):
    """Where in AWS a cluster lives, and with whose credentials it is reached."""

    account_id: AccountId = Field(description="A guard: no run acts elsewhere.")
    region: Region = Field(description="A guard as well.")
    credentials: str | None = Field(
        default=None,
        description="Name of a prefect-aws AwsCredentials block; null takes the ambient chain.",
    )
    state_bucket: BucketName = Field(
        description="S3 bucket of the Terraform states; made if missing."
    )


class Network(Part):
    """The cluster's network, and who may come in."""

    cidr: IPv4Network = Field(description="Range of the VPC, /16 to /22.")
    zones: tuple[str, ...] = Field(description="Availability zones, two to four.")
    nat: Literal["single", "per_zone"] = Field(description="One NAT gateway, or one a zone.")
    open_to_internet: tuple[Literal["load_balancer"], ...] = Field(
        default=(), description="What may be reached from everywhere, by name."
    )
    admin_networks: dict[Name, IPv4Network] = Field(description="Who may come in, by name.")
    flow_log_days: Literal[7, 14, 30, 60, 90, 180, 365, 400] = 90


class Dns(Part):
    """The names of a cluster, all in one hosted zone."""

    zone: Hostname = Field(description="Route 53 hosted zone; must exist.")
    name: Hostname = Field(description="Where Rancher is reached.")
    database_name: Hostname = Field(description="CNAME of the database.")


class LoadBalancer(Part):
    """How Rancher is reached."""

    internal: bool = Field(description="True: only from inside and connected networks.")
    certificate: Literal["find", "create"] = Field(
        description="Find an issued ACM certificate for the name, or make one validated by DNS."
    )
    deletion_protection: bool = True
    access_logs: bool = Field(default=False, description="Keep access logs in a bucket of S3.")


class DatabaseSpec(Part):
    """Rancher's database."""

    engine_version: MysqlVersion = Field(
        description="MySQL; Rancher 1.6 supports 5.5 to 5.7 and nothing newer."
    )
    instance_class: DatabaseClass
    storage_gib: int = Field(ge=20, le=16384)
    multi_az: bool = Field(description="A standby in another zone takes over within minutes.")
    backup_days: int = Field(default=14, ge=1, le=35)
    backup_window: BackupWindow = Field(default=BACKUP_WINDOW, description="UTC.")
    maintenance_window: MaintenanceWindow = Field(default=MAINTENANCE_WINDOW, description="UTC.")
    deletion_protection: bool = True
    open_to_admins: bool = Field(default=False, description="Admin networks may reach port 3306.")


class ControlNodes(Part):
    """The machines that run Rancher's servers."""

    count: NodeCount = Field(description="3 survives the loss of one node, 5 of two.")
    instance_type: InstanceType
    volume_gib: int = Field(default=30, ge=8, le=16384)


class Bake(Part):
    """How the machines' image is baked, and how long old ones are kept."""

    source_owner: AccountId = Field(
        default="136693071363", description="Account of the source image; Debian's own."
    )
    source_name: ImageName = Field(
        default="debian-12-amd64-*", description="Of the source image; the newest match is taken."
    )
    instance_type: InstanceType = Field(default="t3.medium", description="Of the builder.")
    volume_gib: int = Field(default=16, ge=8, le=16384)
    subnet: str | None = Field(
        default=None, description="Where the builder starts; null takes the default VPC's."
    )
    variables: str | None = Field(
        default=None, description="File of Ansible variables, by its path in the project."
    )
    keep: int = Field(default=5, ge=1, description="Newest images that are always kept.")
    keep_days: int = Field(default=30, ge=0, description="Younger ones are kept as well.")


class ReconcileLimits(Part):
    """How much one run of the reconcile may remove, for each environment."""

    max_removals: int = Field(default=5, ge=0)
    max_removal_percent: Percent = 20
    max_absent_removals: int = Field(
        default=1,
        ge=0,
        description="Of those, hosts whose instance EC2 just does not know: weaker evidence.",
    )
    parallel_removals: int = Field(
        default=16, ge=1, le=64, description="Hosts that are worked on at once."
    )


class AlertChannel(Part):
    """Where alerts go: the name of a secret that holds an Apprise URL, never the URL.

    A secret of Prefect, not of AWS: that AWS lets nobody in must be told as well.
    """

    name: Name
    secret: str = Field(description="Name of a Secret block of Prefect.")


class ClusterSpec(Part):
    """One cluster, whole."""

    name: ClusterName = Field(description="Begins every name that a person sees.")
    aws: AwsPlace
    network: Network
    dns: Dns
    load_balancer: LoadBalancer
    database: DatabaseSpec
    control: ControlNodes
    image_name: ImageName = Field(description="Of the machines; * matches, the newest is taken.")
    bake: Bake = Bake()
    rancher: RancherSpec
    pools: tuple[Pool, ...] = Field(min_length=1)
    reconcile: ReconcileLimits = ReconcileLimits()
    alerts: tuple[AlertChannel, ...] = ()

    @model_validator(mode="wrap")
    @classmethod
    def has_no_fault(cls, content: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - whatever a file holds
        """Refuse a file with faults, those of single keys and those of keys together at once."""
        try:
            spec = handler(content)
        except ValidationError as error:
            own = [_told(fault) for fault in error.errors() if not _is_an_echo(fault)]
            raise _refusal([*own, *find_faults(content)]) from error
        if faults := find_faults(spec.model_dump(mode="json")):
            raise _refusal(faults)
        return spec

    @property
    def url(self) -> str:
        """Where people reach the cluster's Rancher."""
        return f"https://{self.dns.name}"

    def pools_of(self, environment: str) -> tuple[Pool, ...]:
        """Return the pools whose hosts join an environment."""
        return tuple(pool for pool in self.pools if pool.environment == environment)


def _is_an_echo(fault: ErrorDetails) -> bool:
    """Tell whether a list is called too short only since its items have faults of their own."""
    return fault["type"] == "too_short" and bool(fault["input"])


def _told(fault: ErrorDetails) -> Fault:
    """Return a fault that pydantic found, with its path as it is in the file."""
    path: list[str | int] = []
    for step in fault["loc"]:
        key = next((last for last in reversed(path) if isinstance(last, str)), "")
        # pydantic also names the model that it took out of a union, which is no step of the file
        if step not in KINDS.get(key, ()):
            path.append(step)
    return Fault(tuple(path), fault["msg"].removeprefix("Value error, "))


def _refusal(faults: Iterable[Fault]) -> ValidationError:
    lines = [
        InitErrorDetails(
            type=PydanticCustomError("cluster_file", "{sentence}", {"sentence": sentence}),
            loc=path,
            input=None,
        )
        for path, sentence in dict.fromkeys(faults)
    ]
    return ValidationError.from_exception_data("ClusterSpec", lines)
