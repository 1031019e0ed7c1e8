"""The state machines: which process of a type may start in which state and where it leads. Pure."""

from collections.abc import Mapping
from typing import Final

from lab.rancher.states import (
    ACTIVE,
    CANCELED,
    CREATE,
    DISCONNECTED,
    INACTIVE,
    PURGE,
    RECONNECTING,
    REMOVED,
    REQUESTED,
    UPDATE,
    UPGRADED,
    Process,
    process,
    table,
)

DEFAULT: Final = table(
    CREATE,
    process("activate", "inactive registering", "activating", ACTIVE),
    process(
        "deactivate",
        "requested registering active activating updating-active updating-inactive",
        "deactivating",
        INACTIVE,
    ),
    process(
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
    **table(
        process("activate", "inactive registering provisioned", "activating", ACTIVE),
        process("provision", INACTIVE, "provisioning", "provisioned"),
        process("error", "provisioning", "erroring", "error"),
        process(
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
    **table(
        process(
            "remove",
            "disconnecting disconnected requested inactive registering updating-active"
            " updating-inactive reconnected finishing-reconnect",
            "removing",
            REMOVED,
        ),
        process(
            "deactivate",
            "disconnecting disconnected active activating reconnecting updating-active"
            " updating-inactive reconnected finishing-reconnect",
            "deactivating",
            INACTIVE,
        ),
        process(
            "reconnect",
            "disconnecting disconnected active activating",
            RECONNECTING,
            "reconnected",
        ),
        process("finishreconnect", "reconnected reconnecting", "finishing-reconnect", ACTIVE),
        process(
            "disconnect",
            "reconnecting active reconnected finishing-reconnect",
            "disconnecting",
            DISCONNECTED,
        ),
    ),
}
"""cattle: spring-process-context.xml"""

GENERIC: Final = table(
    process("create", REQUESTED, "activating", ACTIVE),
    process("remove", "requested active activating", "removing", REMOVED),
    PURGE,
)
"""Registers, which are generic objects, and templates: active without a step between.

cattle: spring-process-context.xml
"""

EVENT: Final = table(
    process("create", REQUESTED, "creating", "created"),
    process("remove", "created creating requested", "removing", REMOVED),
    PURGE,
)
"""External events end as created.

cattle: spring-process-context.xml
"""

INSTANCE: Final = table(
    process("create", REQUESTED, "creating", "stopped"),
    process("start", "stopped creating", "starting", "running"),
    process(
        "stop",
        "creating running starting restarting updating-running updating-stopped",
        "stopping",
        "stopped",
    ),
    process("error", "creating stopped", "erroring", "error"),
    process(
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

SERVICE: Final = table(
    process("create", REQUESTED, "registering", INACTIVE),
    process("activate", "inactive restarting", "activating", ACTIVE),
    process(
        "deactivate",
        "restarting active activating updating-inactive updating-active",
        "deactivating",
        INACTIVE,
    ),
    process("upgrade", "active activating inactive updating-active", "upgrading", UPGRADED),
    process("cancelupgrade", "upgrading finishing-upgrade", "canceling-upgrade", CANCELED),
    process("rollback", "upgrading upgraded canceled-upgrade", "rolling-back", ACTIVE),
    process("finishupgrade", UPGRADED, "finishing-upgrade", ACTIVE),
    process(
        "remove",
        "requested registering inactive active activating updating-inactive updating-active"
        " upgrading canceling-upgrade rolling-back deactivating canceled-upgrade upgraded"
        " finishing-upgrade restarting",
        "removing",
        REMOVED,
    ),
    PURGE,
)
"""cattle: spring-process-context.xml"""

STACK: Final = table(
    process("create", REQUESTED, "activating", ACTIVE),
    Process("update", {ACTIVE: "updating-active"}, {"updating-active": ACTIVE}),
    process("error", "activating", "erroring", "error"),
    process("upgrade", "active canceled-upgrade", "upgrading", UPGRADED),
    process("cancelupgrade", "upgrading finishing-upgrade", "canceling-upgrade", CANCELED),
    process("rollback", "upgrading upgraded canceled-upgrade", "rolling-back", ACTIVE),
    process("finishupgrade", UPGRADED, "finishing-upgrade", ACTIVE),
    process(
        "remove",
        "requested active activating updating-active error erroring upgrading canceling-upgrade"
        " rolling-back finishing-upgrade upgraded canceled-upgrade",
        "removing",
        REMOVED,
    ),
    PURGE,
)
"""A stack is removed while it is active, and is neither activated nor deactivated.

cattle: spring-process-context.xml
"""

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
    "projectTemplate": GENERIC,
    "service": SERVICE,
    "stack": STACK,
    "storagePool": DEFAULT,
}

FOLLOWS: Final[Mapping[str, str]] = {
    **{base: "activate" for base, ways in TABLES.items() if ways.get("create") is CREATE},
    "instance": "start",
}
"""The process that a creation goes on to, by table; services wait to be told.

cattle: DefaultProcessesParser.java (delegate)
"""

TRANSITIONING: Final = frozenset(
    {REQUESTED} | {state for ways in TABLES.values() for way in ways.values() for state in way.done}
)


def find(base: str, name: str) -> Process | None:
    """Return a process of a table of the database, if it has one of that name."""
    return TABLES.get(base, {}).get(name)
