"""The Terraform stacks as models: fields are a stack's variables, `Outputs` its outputs.

`Stack.of(spec, ...)` is the only place where outputs of one stack become variables of the next, so
the order of a build follows from data. Nothing here runs Terraform.

The fields of each model equal the variables of `terraform/<folder>`, and those of `Outputs` its
outputs; a contract test holds both.
"""

from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from corral.cluster import EVERYWHERE, AwsPlace, ClusterSpec, Pool, Scaling
from corral.domain.standing import Standing

# Each of Rancher's servers holds up to 150 connections, and people need a few of their own.
# Source: cattle, cattle-global.properties, db.cattle.maxtotal.
CONNECTIONS_OF_A_SERVER = 150
CONNECTIONS_OF_PEOPLE = 50

RANCHER_DATABASE = "rancher"


class Outputs(BaseModel):
    """What a stack hands over to those that build on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Out = TypeVar("Out", bound=Outputs)


class Stack(BaseModel, Generic[Out]):
    """One folder, one state, one blast radius."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: ClassVar[str]
    outputs: ClassVar[type[Outputs]]

    place: AwsPlace = Field(exclude=True, description="Where the state is kept; no variable.")
    cluster: str
    account_id: str
    region: str

    @property
    def name(self) -> str:
        """How people call it, as `vpc` or `host-pool/web`."""
        return self.folder

    @property
    def key(self) -> str:
        """Key of the state in its bucket, without the ending: `lab/vpc`."""
        return f"{self.cluster}/{self.name}"

    def variables(self) -> dict[str, Any]:
        """Return the variables as Terraform's JSON takes them."""
        return self.model_dump(mode="json")

    def read_outputs(self, values: dict[str, Any]) -> Out:
        """Return the outputs as their model.

        Raises:
            pydantic.ValidationError: The state was written by another version of the stack.
        """
        return self.outputs.model_validate(values)  # type: ignore[return-value]

    @classmethod
    def _from(cls, spec: ClusterSpec, **variables: Any) -> Self:  # noqa: ANN401 - each its own
        return cls(
            place=spec.aws,
            cluster=spec.name,
            account_id=spec.aws.account_id,
            region=spec.aws.region,
            **variables,
        )


class VpcOutputs(Outputs):
    """Network for all others; one subnet of each tier for each zone, in the order of the zones."""

    vpc_id: str
    public_subnet_ids: tuple[str, ...]
    private_subnet_ids: tuple[str, ...]
    database_subnet_ids: tuple[str, ...]
    database_subnet_group: str
    nat_public_ips: tuple[str, ...]


class Vpc(Stack[VpcOutputs]):
    """The network."""

    folder = "vpc"
    outputs = VpcOutputs

    cidr: str
    zones: tuple[str, ...]
    nat: str
    admin_cidrs: tuple[str, ...]
    flow_log_days: int

    @classmethod
    def of(cls, spec: ClusterSpec) -> Self:
        """Return the network of a cluster."""
        return cls._from(
            spec,
            cidr=str(spec.network.cidr),
            zones=spec.network.zones,
            nat=spec.network.nat,
            admin_cidrs=_admin_cidrs(spec) + ((str(EVERYWHERE),) if _open(spec) else ()),
            flow_log_days=spec.network.flow_log_days,
        )


class SecurityGroupsOutputs(Outputs):
    """One group for each kind of machine."""

    load_balancer_group_id: str
    control_group_id: str
    hosts_group_id: str
    database_group_id: str


class SecurityGroups(Stack[SecurityGroupsOutputs]):
    """Who may talk to whom, all in one state so that groups can refer to each other."""

    folder = "security-groups"
    outputs = SecurityGroupsOutputs

    vpc_id: str
    admin_cidrs: tuple[str, ...]
    nat_public_ips: tuple[str, ...]
    load_balancer_open: bool
    database_admin_access: bool

    @classmethod
    def of(cls, spec: ClusterSpec, vpc: VpcOutputs) -> Self:
        """Return the security groups of a cluster."""
        return cls._from(
            spec,
            vpc_id=vpc.vpc_id,
            admin_cidrs=_admin_cidrs(spec),
            nat_public_ips=vpc.nat_public_ips,
            load_balancer_open=_open(spec),
            database_admin_access=spec.database.open_to_admins,
        )


class DatabaseOutputs(Outputs):
    """How servers reach their database; the password is in the secret only."""

    identifier: str
    address: str
    port: int
    database_name: str
    username: str
    password_version: int
    secret_arn: str


class Database(Stack[DatabaseOutputs]):
    """Rancher's MySQL."""

    folder = "database"
    outputs = DatabaseOutputs

    database_subnet_group: str
    database_group_id: str
    dns_zone: str
    dns_name: str
    identifier: str
    password_version: int
    final_snapshot: str
    engine_version: str
    instance_class: str
    storage_gib: int
    multi_az: bool
    backup_days: int
    backup_window: str
    maintenance_window: str
    deletion_protection: bool
    max_connections: int
    database_name: str
    username: str

    @classmethod
    def of(
        cls,
        spec: ClusterSpec,
        vpc: VpcOutputs,
        groups: SecurityGroupsOutputs,
        standing: Standing | None = None,
    ) -> Self:
        """Return the database of a cluster.

        Args:
            spec: What it shall be.
            vpc: Where it is placed.
            groups: Who may reach it.
            standing: What restores and rotations left; None for a database that never had any.

        """
        database = spec.database
        standing = standing or Standing.first(spec.name)
        return cls._from(
            spec,
            database_subnet_group=vpc.database_subnet_group,
            database_group_id=groups.database_group_id,
            dns_zone=spec.dns.zone,
            dns_name=spec.dns.database_name,
            identifier=standing.identifier,
            password_version=standing.password_version,
            final_snapshot=f"{standing.identifier}-final",
            engine_version=database.engine_version,
            instance_class=database.instance_class,
            storage_gib=database.storage_gib,
            multi_az=database.multi_az,
            backup_days=database.backup_days,
            backup_window=database.backup_window,
            maintenance_window=database.maintenance_window,
            deletion_protection=database.deletion_protection,
            max_connections=connections_for(spec.control.count),
            database_name=RANCHER_DATABASE,
            username=RANCHER_DATABASE,
        )


class ControlPlaneOutputs(Outputs):
    """Rancher's front door and the group behind it."""

    url: str
    load_balancer_arn: str
    load_balancer_dns_name: str
    target_group_arn: str
    group_name: str
    image_id: str


class ControlPlane(Stack[ControlPlaneOutputs]):
    """The load balancer and the machines that run Rancher's servers."""

    folder = "control-plane"
    outputs = ControlPlaneOutputs

    vpc_id: str
    public_subnet_ids: tuple[str, ...]
    private_subnet_ids: tuple[str, ...]
    load_balancer_group_id: str
    control_group_id: str
    dns_zone: str
    dns_name: str
    certificate: str
    internal: bool
    deletion_protection: bool
    access_logs: bool
    control_count: int
    instance_type: str
    image_name: str
    volume_gib: int
    server_image: str
    database_host: str
    database_port: int
    database_name: str
    database_username: str
    database_secret_arn: str

    @classmethod
    def of(
        cls,
        spec: ClusterSpec,
        vpc: VpcOutputs,
        groups: SecurityGroupsOutputs,
        database: DatabaseOutputs,
    ) -> Self:
        """Return the control plane of a cluster."""
        return cls._from(
            spec,
            vpc_id=vpc.vpc_id,
            public_subnet_ids=vpc.public_subnet_ids,
            private_subnet_ids=vpc.private_subnet_ids,
            load_balancer_group_id=groups.load_balancer_group_id,
            control_group_id=groups.control_group_id,
            dns_zone=spec.dns.zone,
            dns_name=spec.dns.name,
            certificate=spec.load_balancer.certificate,
            internal=spec.load_balancer.internal,
            deletion_protection=spec.load_balancer.deletion_protection,
            access_logs=spec.load_balancer.access_logs,
            control_count=spec.control.count,
            instance_type=spec.control.instance_type,
            image_name=spec.image_name,
            volume_gib=spec.control.volume_gib,
            server_image=f"rancher/server:{spec.rancher.version}",
            database_host=database.address,
            database_port=database.port,
            database_name=database.database_name,
            database_username=database.username,
            database_secret_arn=database.secret_arn,
        )


class HostPoolOutputs(Outputs):
    """A pool's group, and the queue that hears of its terminations."""

    group_name: str
    queue_url: str
    dead_letter_queue_url: str
    launch_template_id: str
    role_name: str


class PoolScaling(BaseModel):
    """The three ways of scaling in the one shape that Terraform's type system can say."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str
    target_percent: int | None = None
    queue_name: str | None = None
    messages_per_host: int | None = None
    time_zone: str | None = None
    actions: tuple[dict[str, str | int], ...] | None = None

    @classmethod
    def of(cls, scaling: Scaling) -> Self:
        """Return the scaling of a pool."""
        return cls.model_validate(scaling.model_dump())


class HostPool(Stack[HostPoolOutputs]):
    """One pool of container hosts, with a state of its own."""

    folder = "host-pool"
    outputs = HostPoolOutputs

    pool: str
    environment: str
    role: str
    labels: dict[str, str]
    private_subnet_ids: tuple[str, ...]
    hosts_group_id: str
    instance_type: str
    image_name: str
    volume_gib: int
    minimum: int
    maximum: int
    scaling: PoolScaling
    spot_percent: int
    rancher_url: str
    environment_secret: str
    drain_timeout_s: int

    @property
    def name(self) -> str:
        """How people call it: a pool's state is its own."""
        return f"{self.folder}/{self.pool}"

    @classmethod
    def of(
        cls,
        spec: ClusterSpec,
        vpc: VpcOutputs,
        groups: SecurityGroupsOutputs,
        control: ControlPlaneOutputs,
        pool: Pool,
    ) -> Self:
        """Return one pool of a cluster."""
        return cls._from(
            spec,
            pool=pool.name,
            environment=pool.environment,
            role=pool.role,
            labels=pool.labels,
            private_subnet_ids=vpc.private_subnet_ids,
            hosts_group_id=groups.hosts_group_id,
            instance_type=pool.instance_type,
            image_name=spec.image_name,
            volume_gib=pool.volume_gib,
            minimum=pool.minimum,
            maximum=pool.maximum,
            scaling=PoolScaling.of(pool.scaling),
            spot_percent=pool.spot_percent,
            rancher_url=control.url,
            environment_secret=environment_secret(spec.name, pool.environment),
            drain_timeout_s=pool.drain_timeout_s,
        )


def connections_for(control_nodes: int) -> int:
    """Return how many connections a database must allow for so many of Rancher's servers."""
    return control_nodes * CONNECTIONS_OF_A_SERVER + CONNECTIONS_OF_PEOPLE


def environment_secret(cluster: str, environment: str) -> str:
    """Return the name of the secret with which hosts join an environment."""
    return f"{cluster}/environments/{environment}"


def _admin_cidrs(spec: ClusterSpec) -> tuple[str, ...]:
    return tuple(sorted(str(network) for network in spec.network.admin_networks.values()))


def _open(spec: ClusterSpec) -> bool:
    return "load_balancer" in spec.network.open_to_internet
