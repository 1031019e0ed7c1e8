"""What a cluster is: the model of one file in `deployments/clusters/`.

It says what there shall be, never what a run may do, and holds no secret. Every fault that can be
seen without asking anybody is found here, before the first call to anyone.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

# Rancher's managed network and Docker's bridge live here on every host: a machine inside either
# range would be unreachable from containers. Source: Rancher 1.6 docs, "IPsec" (10.42.0.0/16).
TAKEN_NETWORKS = {
    "Rancher's overlay network": IPv4Network("10.42.0.0/16"),
    "Docker's bridge": IPv4Network("172.17.0.0/16"),
}
NARROWEST_PREFIX = 22
WIDEST_PREFIX = 16
MOST_VISITORS = 8
EVERYWHERE = IPv4Network("0.0.0.0/0")

# Load balancers allow 32 characters in all, database identifiers no double dash.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=16)]
Hostname = Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$")]
Window = Annotated[str, Field(pattern=r"^\d\d:\d\d-\d\d:\d\d$")]
Percent = Annotated[int, Field(ge=0, le=100)]


def repeated(names: Sequence[str]) -> list[str]:
    """Return the names that occur more than once, in alphabetical order."""
    return sorted({name for name in names if names.count(name) > 1})


class Part(BaseModel):
    """Any part of a cluster file: fixed once read, and no key that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AwsPlace(Part):
    """Where in AWS a cluster lives, and with whose credentials it is reached."""

    account_id: str = Field(pattern=r"^\d{12}$", description="A guard: no run acts elsewhere.")
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="A guard as well.")
    credentials: str | None = Field(
        default=None,
        description="Name of a prefect-aws AwsCredentials block; null takes the ambient chain.",
    )
    state_bucket: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$",
        description="S3 bucket of the Terraform states; made if missing.",
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

    @field_validator("cidr")
    @classmethod
    def fits_its_subnets(cls, cidr: IPv4Network) -> IPv4Network:
        """Refuse a range that AWS does not take, that is too small, or that others use."""
        if not WIDEST_PREFIX <= cidr.prefixlen <= NARROWEST_PREFIX:
            raise ValueError(
                f"{cidr} does not fit: a VPC takes /{WIDEST_PREFIX} at most, and"
                f" three tiers of subnets need /{NARROWEST_PREFIX} at least"
            )
        for owner, network in TAKEN_NETWORKS.items():
            if cidr.overlaps(network):
                raise ValueError(f"{cidr} overlaps {owner} ({network}), which is on every host")
        return cidr

    @field_validator("zones")
    @classmethod
    def survives_a_zone(cls, zones: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse fewer than two zones: the load balancer and the database need two."""
        if twice := repeated(zones):
            raise ValueError(f"named twice: {', '.join(twice)}")
        if not 2 <= len(zones) <= 4:  # noqa: PLR2004 - the range is in the sentence below
            raise ValueError(f"{len(zones)} zone(s) named: two to four are needed to survive one")
        return zones

    @field_validator("admin_networks")
    @classmethod
    def stays_outside(
        cls, networks: dict[str, IPv4Network], info: ValidationInfo
    ) -> dict[str, IPv4Network]:
        """Refuse the whole internet, and ranges that overlap the cluster's own."""
        cidr = info.data.get("cidr")
        gateways = len(info.data.get("zones", ())) if info.data.get("nat") == "per_zone" else 1
        visitors = len(networks) + len(info.data.get("open_to_internet", ())) + gateways
        if visitors > MOST_VISITORS:
            raise ValueError(
                f"{visitors} networks and NAT gateways may come in: a network ACL has room for the"
                f" rules of {MOST_VISITORS}"
            )
        for name, network in networks.items():
            if network == EVERYWHERE:
                raise ValueError(
                    f"{name} is 0.0.0.0/0: to open the load balancer to everybody, write"
                    " open_to_internet: [load_balancer]"
                )
            if cidr and network.overlaps(cidr):
                raise ValueError(f"{name} ({network}) overlaps the cluster's own range {cidr}")
        return networks


class Dns(Part):
    """The names of a cluster, all in one hosted zone."""

    zone: Hostname = Field(description="Route 53 hosted zone; must exist.")
    name: Hostname = Field(description="Where Rancher is reached.")
    database_name: Hostname = Field(description="CNAME of the database.")

    @field_validator("name", "database_name")
    @classmethod
    def lies_in_the_zone(cls, name: str, info: ValidationInfo) -> str:
        """Refuse a name outside the DNS zone: corral could not make it."""
        zone = info.data.get("zone")
        if zone and not name.endswith(f".{zone}"):
            raise ValueError(f"{name} is outside the DNS zone {zone}")
        return name


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

    engine_version: str = Field(
        pattern=r"^5\.[567](\.\d+)?$",
        description="MySQL; Rancher 1.6 supports 5.5 to 5.7 and nothing newer.",
    )
    instance_class: str = Field(pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$")
    storage_gib: int = Field(ge=20, le=16384)
    multi_az: bool = Field(description="A standby in another zone takes over within minutes.")
    backup_days: int = Field(default=14, ge=1, le=35)
    backup_window: Window = Field(default="00:00-01:00", description="UTC.")
    maintenance_window: str = Field(
        default="mon:01:30-mon:02:30", pattern=r"^[a-z]{3}:\d\d:\d\d-[a-z]{3}:\d\d:\d\d$"
    )
    deletion_protection: bool = True
    open_to_admins: bool = Field(default=False, description="Admin networks may reach port 3306.")

    @field_validator("instance_class")
    @classmethod
    def has_memory(cls, name: str) -> str:
        """Refuse what has no more memory than MySQL's buffer pool alone wants."""
        if name.endswith(".micro"):
            raise ValueError(f"{name} has 1 GiB of memory, all of which MySQL's buffer pool wants")
        return name


class ControlNodes(Part):
    """The machines that run Rancher's servers."""

    count: int = Field(description="3 survives the loss of one node, 5 of two.")
    instance_type: str = Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$")
    volume_gib: int = Field(default=30, ge=8, le=16384)

    @field_validator("count")
    @classmethod
    def keeps_a_majority(cls, count: int) -> int:
        """Refuse what cannot survive the loss of a node, or gains nothing by its size."""
        if count % 2 == 0:
            raise ValueError(
                f"{count} is even: {count} nodes survive no more losses than {count - 1};"
                " choose 3 or 5"
            )
        if count not in (3, 5):
            raise ValueError(f"{count} node(s): choose 3 or 5")
        return count


class Environment(Part):
    """One environment of Rancher."""

    name: Name
    description: str = ""


class RancherSpec(Part):
    """Which Rancher, and what is set up in it."""

    version: str = Field(pattern=r"^v1\.6\.\d+$", description="Tag of rancher/server.")
    environments: tuple[Environment, ...] = Field(min_length=1)

    @field_validator("environments")
    @classmethod
    def are_told_apart(cls, environments: tuple[Environment, ...]) -> tuple[Environment, ...]:
        """Refuse two environments of one name: Rancher itself would not."""
        if twice := repeated([environment.name for environment in environments]):
            raise ValueError(f"named twice: {', '.join(twice)}")
        return environments


class ScaleOnCpu(Part):
    """Keep the pool's mean CPU use at a target."""

    kind: Literal["cpu"]
    target_percent: int = Field(ge=10, le=90)


class ScaleOnQueue(Part):
    """Follow the depth of an SQS queue."""

    kind: Literal["queue"]
    queue_name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")
    messages_per_host: int = Field(ge=1, description="How many waiting messages one host is worth.")


class ScheduledSize(Part):
    """A size from a time on."""

    name: Name
    cron: str = Field(pattern=r"^\S+( \S+){4}$", description="Five fields, in the time zone.")
    desired: int = Field(ge=0)


class ScaleOnSchedule(Part):
    """Take a size at given times."""

    kind: Literal["schedule"]
    time_zone: str = "UTC"
    actions: tuple[ScheduledSize, ...] = Field(min_length=1)


Scaling = Annotated[ScaleOnCpu | ScaleOnQueue | ScaleOnSchedule, Field(discriminator="kind")]


class Pool(Part):
    """A group of container hosts that scale together and carry the same labels."""

    name: Name
    environment: Name = Field(description="Rancher environment that the hosts join.")
    role: Name = Field(description="Host label `role`, what services are placed by.")
    labels: dict[str, str] = Field(default_factory=dict, description="Further host labels.")
    instance_type: str = Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$")
    volume_gib: int = Field(default=50, ge=8, le=16384)
    minimum: int = Field(ge=0)
    maximum: int = Field(ge=1)
    spot_percent: Percent = 0
    drain_timeout_s: int = Field(default=600, ge=30, le=7200)
    scaling: Scaling

    @field_validator("name")
    @classmethod
    def leaves_the_servers_alone(cls, name: str) -> str:
        """Refuse the name of the control nodes' own group."""
        if name == "control":
            raise ValueError("control is the group of Rancher's servers; choose another name")
        return name

    @field_validator("maximum")
    @classmethod
    def holds_its_minimum(cls, maximum: int, info: ValidationInfo) -> int:
        """Refuse a minimum over the maximum."""
        minimum = info.data.get("minimum")
        if minimum is not None and minimum > maximum:
            raise ValueError(f"minimum {minimum} is over maximum {maximum}")
        return maximum

    @field_validator("scaling")
    @classmethod
    def stays_in_bounds(cls, scaling: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - the union
        """Refuse a scheduled size that the group could never take."""
        low, high = info.data.get("minimum"), info.data.get("maximum")
        if not isinstance(scaling, ScaleOnSchedule) or low is None or high is None:
            return scaling
        for action in scaling.actions:
            if not low <= action.desired <= high:
                raise ValueError(
                    f"{action.name} asks for {action.desired}, outside {low} to {high}"
                )
        return scaling


class ReconcileLimits(Part):
    """How much one run of the reconcile may remove, for each environment."""

    max_removals: int = Field(default=5, ge=0)
    max_removal_percent: Percent = 20


class AlertChannel(Part):
    """Where alerts go: the name of a secret that holds an Apprise URL, never the URL."""

    name: Name
    secret: str = Field(description="Name in Secrets Manager.")


class ClusterSpec(Part):
    """One cluster, whole."""

    name: Name = Field(description="Begins every name that a person sees.")
    aws: AwsPlace
    network: Network
    dns: Dns
    load_balancer: LoadBalancer
    database: DatabaseSpec
    control: ControlNodes
    image_name: str = Field(description="Of the machines; * matches, the newest is taken.")
    rancher: RancherSpec
    pools: tuple[Pool, ...] = Field(min_length=1)
    reconcile: ReconcileLimits = ReconcileLimits()
    alerts: tuple[AlertChannel, ...] = ()

    @field_validator("name")
    @classmethod
    def leaves_reserved_names(cls, name: str) -> str:
        """Refuse names that AWS keeps for its own load balancers and security groups."""
        begin = name.split("-", maxsplit=1)[0]
        if begin in ("internal", "sg"):
            raise ValueError(f"{name} begins with {begin}, which AWS keeps for itself")
        return name

    @field_validator("network")
    @classmethod
    def lies_in_its_region(cls, network: Network, info: ValidationInfo) -> Network:
        """Refuse zones of another region."""
        aws = info.data.get("aws")
        if aws is None:
            return network
        strangers = [zone for zone in network.zones if not zone.startswith(aws.region)]
        if strangers:
            raise ValueError(f"{', '.join(strangers)}: not in region {aws.region}")
        return network

    @field_validator("pools")
    @classmethod
    def are_told_apart(cls, pools: tuple[Pool, ...]) -> tuple[Pool, ...]:
        """Refuse two pools of one name: they would share a state."""
        if twice := repeated([pool.name for pool in pools]):
            raise ValueError(f"named twice: {', '.join(twice)}")
        return pools

    @field_validator("pools")
    @classmethod
    def join_known_environments(
        cls, pools: tuple[Pool, ...], info: ValidationInfo
    ) -> tuple[Pool, ...]:
        """Refuse a pool whose environment nobody makes."""
        rancher = info.data.get("rancher")
        known = {environment.name for environment in rancher.environments} if rancher else None
        lost = [pool for pool in pools if known is not None and pool.environment not in known]
        if lost:
            raise ValueError(
                "; ".join(f"{p.name} joins {p.environment}, which is no environment" for p in lost)
            )
        return pools

    @property
    def url(self) -> str:
        """Where people reach the cluster's Rancher."""
        return f"https://{self.dns.name}"

    def pools_of(self, environment: str) -> tuple[Pool, ...]:
        """Return the pools whose hosts join an environment."""
        return tuple(pool for pool in self.pools if pool.environment == environment)
