"""The types around hosts, and those by which machines become hosts."""

from typing import Final

from lab.rancher.schema.shape import (
    ADMIN,
    AGENT,
    COMMON,
    PROJECT,
    READONLY,
    REGISTER,
    RESTRICTED,
    USER,
    Action,
    Field,
    ResourceType,
    column,
    extra,
    process_actions,
)

ALWAYS: Final = {"delete": Action(None), "upgrade": Action(None)}
"""Actions of a host that are always shown and never run, as no process has their name.

cattle: AbstractObjectResourceManager.addActions
"""

HOST = ResourceType(
    name="host",
    base="host",
    prefix="1h",
    plural="hosts",
    fields={
        **COMMON,
        "agentId": column("reference[agent]", "", "r"),
        "agentIpAddress": extra(),
        "agentState": column(),
        "apiProxy": extra("string", "", "ru"),
        "computeTotal": column("int"),
        "hostTemplateId": column("reference[hostTemplate]"),
        "hostname": extra(),
        "info": extra("json"),
        "instanceIds": extra("array[reference[instance]]"),
        "labels": extra("map[string]", "cru"),
        "localStorageMb": column("int", "ru"),
        "memory": column("int", "ru"),
        "milliCpu": column("int", "ru"),
        "physicalHostId": column("reference[physicalHost]"),
        "publicEndpoints": extra("array[publicEndpoint]"),
        "stackId": column("reference[stack]"),
    },
    rights={ADMIN: "r", USER: "r", PROJECT: "rud", READONLY: "r", RESTRICTED: "r"},
    actions={
        **ALWAYS,
        **process_actions("host", "activate deactivate remove purge update", "host"),
        "evacuate": Action(frozenset({"active", "inactive"}), None, "host"),
        "dockersocket": Action(
            frozenset({"active", "inactive", "activating", "deactivating"}), None, "hostAccess"
        ),
    },
)
"""cattle: schema/base/host.json, test_authorization.py (test_host_auth)"""

PHYSICAL_HOST = ResourceType(
    name="physicalHost",
    base="physicalHost",
    prefix="1ph",
    plural="physicalhosts",
    fields={
        **COMMON,
        "agentId": column("reference[agent]", "", "r"),
        "externalId": column(),
    },
    rights={ADMIN: "r", USER: "r", PROJECT: "r", READONLY: "r", RESTRICTED: "r"},
    actions=process_actions("physicalHost", "update", "physicalHost"),
)
"""cattle: test_authorization.py (test_physical_host)"""

AGENT_TYPE = ResourceType(
    name="agent",
    base="agent",
    prefix="1a",
    plural="agents",
    fields={**COMMON, "uri": column("string", "", "cr")},
    rights={ADMIN: "rud", AGENT: "r"},
    actions=process_actions("agent", "activate deactivate reconnect remove purge update", "agent"),
)
"""cattle: test_authorization.py (test_agent_auth)"""

EXTERNAL_HOST_EVENT = ResourceType(
    name="externalHostEvent",
    base="externalEvent",
    prefix="1ee",
    plural="externalhostevents",
    kind="externalHostEvent",
    fields={
        **COMMON,
        "deleteHost": Field("boolean", "cr", column=False, nullable=False, default=False),
        "eventType": Field("string", "cr", required=True, nullable=False),
        "externalId": column("string", "r"),
        "hostId": extra("reference[host]", "cr"),
        "hostLabel": extra("string", "cr"),
        "reportedAccountId": column("reference[account]"),
    },
    rights={ADMIN: "r", USER: "r", PROJECT: "cr", READONLY: "r", RESTRICTED: "r"},
    actions=process_actions("externalEvent", "remove", "externalEvent"),
)
"""cattle: test_authorization.py (test_external_host_event)"""

REGISTER_TYPE = ResourceType(
    name="register",
    base="genericObject",
    prefix="1go",
    plural="register",
    kind="register",
    fields={
        **COMMON,
        "accessKey": extra(),
        "key": Field("string", "cr", required=True, nullable=False),
        "secretKey": extra(),
    },
    rights={REGISTER: "crd", ADMIN: "r", PROJECT: "cr"},
)
"""cattle: schema/register/register-auth.json"""

HOST_ACCESS = ResourceType(
    name="hostAccess",
    base="hostAccess",
    prefix="1ha",
    plural="hostaccesses",
    collected=False,
    fields={"token": extra(), "url": extra()},
    rights={ADMIN: "r", USER: "r", PROJECT: "r"},
)
"""What `dockersocket` answers."""
