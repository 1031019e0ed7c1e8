"""The state machines: which process may start in which state and where it leads. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ACTIVE = "active"
INACTIVE = "inactive"
REMOVED = "removed"
PURGED = "purged"
REQUESTED = "requested"
RECONNECTING = "reconnecting"
DISCONNECTED = "disconnected"

GONE: Final = frozenset({REMOVED, "purging", PURGED})


@dataclass(frozen=True, slots=True)
class Process:
    """One named way from some states, through others, to a last one."""

    name: str
    through: Mapping[str, str]
    """The state while it runs, by the state in which it starts."""
    done: Mapping[str, str]
    """The state when it is done, by the state while it runs."""

    @property
    def starts(self) -> frozenset[str]:
        """States in which it is offered."""
        return frozenset(self.through)

    def is_running(self, state: str) -> bool:
        """Say whether this process may be what the row is in the middle of."""
        return state in self.done

    def is_done(self, state: str) -> bool:
        """Say whether there is nothing left to do.

        cattle: ResourceStatesDefinition.isDone
        """
        return state in self.done.values()


def _process(name: str, starts: str, running: str, done: str) -> Process:
    return Process(name, dict.fromkeys(starts.split(), running), {running: done})


UPDATE = Process(
    "update",
    {INACTIVE: "updating-inactive", ACTIVE: "updating-active"},
    {"updating-inactive": INACTIVE, "updating-active": ACTIVE},
)
PURGE = _process("purge", REMOVED, "purging", PURGED)
CREATE = _process("create", REQUESTED, "registering", INACTIVE)


def _table(*processes: Process) -> dict[str, Process]:
    return {process.name: process for process in processes}


DEFAULT: Final = _table(
    CREATE,
    _process("activate", "inactive registering", "activating", ACTIVE),
    _process(
        "deactivate",
        "requested registering active activating updating-active updating-inactive",
        "deactivating",
        INACTIVE,
    ),
    _process(
        "remove",
        "requested inactive registering updating-active updating-inactive",
        "removing",
        REMOVED,
    ),
    PURGE,
    UPDATE,
)
"""Accounts, credentials, physical hosts and most others.

cattle: DefaultProcessesParser.java
"""

HOST: Final = {
    **DEFAULT,
    **_table(
        _process("activate", "inactive registering provisioned", "activating", ACTIVE),
        _process("provision", INACTIVE, "provisioning", "provisioned"),
        _process("error", "provisioning", "erroring", "error"),
        _process(
            "remove",
            "erroring error requested inactive activating deactivating registering"
            " updating-active updating-inactive provisioning",
            "removing",
            REMOVED,
        ),
    ),
}
"""A host cannot be removed while its stored state is active.

cattle: spring-process-context.xml
"""

AGENT: Final = {
    **DEFAULT,
    **_table(
        _process(
            "remove",
            "disconnecting disconnected requested inactive registering updating-active"
            " updating-inactive reconnected finishing-reconnect",
            "removing",
            REMOVED,
        ),
        _process(
            "deactivate",
            "disconnecting disconnected active activating reconnecting updating-active"
            " updating-inactive reconnected finishing-reconnect",
            "deactivating",
            INACTIVE,
        ),
        _process(
            "reconnect",
            "disconnecting disconnected active activating",
            RECONNECTING,
            "reconnected",
        ),
        _process("finishreconnect", "reconnected reconnecting", "finishing-reconnect", ACTIVE),
        _process(
            "disconnect",
            "reconnecting active reconnected finishing-reconnect",
            "disconnecting",
            DISCONNECTED,
        ),
    ),
}
"""cattle: spring-process-context.xml"""

GENERIC: Final = _table(
    _process("create", REQUESTED, "activating", ACTIVE),
    _process("remove", "requested active activating", "removing", REMOVED),
    PURGE,
)
"""Registers, which are generic objects: active without a step between.

cattle: spring-process-context.xml
"""

EVENT: Final = _table(
    _process("create", REQUESTED, "creating", "created"),
    _process("remove", "created creating requested", "removing", REMOVED),
    PURGE,
)
"""External events end as created.

cattle: spring-process-context.xml
"""

INSTANCE: Final = _table(
    _process("create", REQUESTED, "creating", "stopped"),
    _process("start", "stopped creating", "starting", "running"),
    _process(
        "stop",
        "creating running starting restarting updating-running updating-stopped",
        "stopping",
        "stopped",
    ),
    _process("error", "creating stopped", "erroring", "error"),
    _process(
        "remove",
        "requested creating updating-running updating-stopped stopped erroring error",
        "removing",
        REMOVED,
    ),
    PURGE,
)
"""A container cannot be removed while it runs.

cattle: spring-process-context.xml (renames of instance)
"""

SERVICE: Final = _table(
    _process("create", REQUESTED, "registering", INACTIVE),
    _process("remove", "requested registering inactive active activating", "removing", REMOVED),
    PURGE,
)
"""cattle: spring-process-context.xml"""

TABLES: Final[Mapping[str, Mapping[str, Process]]] = {
    "account": DEFAULT,
    "agent": AGENT,
    "credential": DEFAULT,
    "externalEvent": EVENT,
    "genericObject": GENERIC,
    "host": HOST,
    "instance": INSTANCE,
    "physicalHost": DEFAULT,
    "projectMember": DEFAULT,
    "projectTemplate": DEFAULT,
    "service": SERVICE,
}

FOLLOWS: Final[Mapping[str, str]] = {
    **{base: "activate" for base, table in TABLES.items() if "activate" in table},
    "instance": "start",
}
"""The process that a creation goes on to, by table.

cattle: DefaultProcessesParser.java (delegate)
"""

TRANSITIONING: Final = frozenset(
    {REQUESTED}
    | {state for table in TABLES.values() for process in table.values() for state in process.done}
)


def find(base: str, name: str) -> Process | None:
    """Return a process of a table of the database, if it has one of that name."""
    return TABLES.get(base, {}).get(name)


def shown_host_state(version: str, state: str, agent_state: str | None) -> str:
    """Return the state of a host as the API shows it.

    v2-beta covers an active host's state with its agent's; v1 never does.
    cattle: HostsFilter.java
    """
    if version != "v1" and state == ACTIVE and agent_state:
        return agent_state
    return state
