"""The rows of Rancher's database as plain data: no rules, no time, no JSON."""

from dataclasses import dataclass, field
from uuid import uuid4


def new_uuid() -> str:
    """Return an identity for a row."""
    return str(uuid4())


@dataclass(slots=True, kw_only=True)
class Row:
    """What the tables have in common. Times are seconds since the epoch."""

    kind: str
    id: int = 0
    uuid: str = field(default_factory=new_uuid)
    name: str | None = None
    description: str | None = None
    state: str = "requested"
    created: float = 0.0
    removed: float | None = None
    remove_time: float | None = None
    account_id: int | None = None
    data: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Account(Row):
    """Somebody who may call: an admin, a user, an agent, or an environment (kind project)."""

    external_id: str | None = None
    external_id_type: str | None = None
    orchestration: str = "cattle"
    project_template_id: int | None = None
    virtual_machine: bool = False
    allow_system_role: bool = False
    host_remove_delay_seconds: int | None = None


@dataclass(slots=True, kw_only=True)
class Agent(Row):
    """The server's side of one agent: `account_id` is the agent's own account."""

    uri: str = ""
    resources_account_id: int | None = None
    register_id: int | None = None
    missed_pings: int = 0
    pings: int = 0
    reconnecting_since: float | None = None


@dataclass(slots=True, kw_only=True)
class PhysicalHost(Row):
    """The machine below a host."""

    agent_id: int | None = None
    external_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Host(Row):
    """One host of an environment."""

    agent_id: int | None = None
    agent_state: str | None = None
    physical_host_id: int | None = None
    host_template_id: int | None = None
    stack_id: int | None = None
    hostname: str = ""
    agent_ip_address: str | None = None
    reported_uuid: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    info: dict[str, object] | None = None
    memory: int | None = None
    milli_cpu: int | None = None
    local_storage_mb: int | None = None
    compute_total: int = 1000000
    api_proxy: str | None = None
    public_endpoints: list[object] = field(default_factory=list)
    instance_ids: list[str] = field(default_factory=list)
    remove_after: float | None = None


@dataclass(slots=True, kw_only=True)
class Instance(Row):
    """One container; `host_id` stays when it is removed."""

    generation: int = 0
    """How often its service had been upgraded when it was made."""
    image_uuid: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    host_id: int | None = None
    requested_host_id: int | None = None
    service_id: int | None = None
    external_id: str | None = None
    native_container: bool = False
    running_since: float | None = None
    primary_ip_address: str | None = None
    system: bool = False

    @property
    def service_ids(self) -> list[str]:
        """Return the id of its service, as a list."""
        return [] if self.service_id is None else [f"1s{self.service_id}"]


@dataclass(slots=True, kw_only=True)
class Service(Row):
    """So many containers of one kind, or one on each host."""

    scale: int = 1
    instance_ids: list[str] = field(default_factory=list)
    system: bool = False
    stack_id: int | None = None
    stack_name: str = "default"
    launch_config: dict[str, object] = field(default_factory=dict)
    is_global: bool = False
    has_check: bool = False
    generation: int = 0
    """How often it was upgraded: its containers of other generations do not count."""
    previous: "Service | None" = None
    """What it was before the upgrade that is not finished."""

    @property
    def current_scale(self) -> int:
        """Return how many containers there are."""
        return len(self.instance_ids)


@dataclass(slots=True, kw_only=True)
class Credential(Row):
    """An API key, a registration token, an agent's key, a password, or a registry's login."""

    public_value: str | None = None
    secret_value: str | None = None
    registry_id: int | None = None


@dataclass(slots=True, kw_only=True)
class StoragePool(Row):
    """A registry of images, which Rancher counts among the places to store things."""

    server_address: str = ""


@dataclass(slots=True, kw_only=True)
class Stack(Row):
    """Services that belong together, made from compose files."""

    external_id: str | None = None
    docker_compose: str | None = None
    rancher_compose: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    previous_external_id: str | None = None
    previous_environment: dict[str, str] | None = None
    start_on_create: bool | None = None
    group: str | None = None
    system: bool = False
    upgrade: dict[str, object] | None = None
    """What it is to become, while an upgrade runs."""
    error: str | None = None
    """Why its last process failed."""


@dataclass(slots=True, kw_only=True)
class Register(Row):
    """One machine's request for keys."""

    key: str = ""
    access_key: str | None = None
    secret_key: str | None = None
    agent_id: int | None = None


@dataclass(slots=True, kw_only=True)
class Membership(Row):
    """One server of the cluster. `heartbeat` is in milliseconds."""

    heartbeat: int = 0
    config: str = "{}"
    clustered: bool = False


@dataclass(slots=True, kw_only=True)
class ExternalEvent(Row):
    """Something told to Rancher from outside."""

    event_type: str = ""
    external_id: str | None = None
    host_label: str | None = None
    host_id: int | None = None
    delete_host: bool = False
    reported_account_id: int | None = None


@dataclass(slots=True, kw_only=True)
class ProjectMember(Row):
    """One identity's role in an environment."""

    project_id: int = 0
    external_id: str = ""
    external_id_type: str = "rancher_id"
    role: str = "owner"


@dataclass(slots=True, kw_only=True)
class ProjectTemplate(Row):
    """What an environment can be made from."""

    external_id: str = ""
    is_public: bool = True
    stacks: list[dict[str, object]] = field(default_factory=list)
