"""The types around stacks: what is made from compose files, and what upgrades it."""

from lab.rancher import state_tables
from lab.rancher.schema.shape import (
    ADMIN,
    COMMON,
    PROJECT,
    READONLY,
    RESTRICTED,
    USER,
    Action,
    Field,
    ResourceType,
    column,
    extra,
    process_actions,
)

STACK = ResourceType(
    name="stack",
    base="stack",
    prefix="1st",
    plural="stacks",
    kind="stack",
    fields={
        **COMMON,
        "dockerCompose": extra("string", "cr"),
        "environment": extra("map[string]", "cr"),
        "externalId": column("string", "cru"),
        "group": column("string", "cru"),
        "healthState": extra("string"),
        "name": Field("string", "cru", required=True),
        "previousEnvironment": extra("map[string]", "cru"),
        "previousExternalId": extra("string", "cru"),
        "rancherCompose": extra("string", "cr"),
        "serviceIds": extra("array[reference[service]]"),
        "startOnCreate": extra("boolean", "cr"),
        "system": Field("boolean", "cr", nullable=False, default=False),
    },
    rights={ADMIN: "r", USER: "r", PROJECT: "crud", READONLY: "r", RESTRICTED: "crud"},
    actions={
        **process_actions(
            "stack", "cancelupgrade error finishupgrade remove rollback update", "stack"
        ),
        "upgrade": Action(state_tables.STACK["upgrade"].starts, "stackUpgrade", "stack"),
        "activateservices": Action(None, None, "stack"),
        "deactivateservices": Action(None, None, "stack"),
    },
)
"""Not played: outputs, bindings, exportconfig.

cattle: schema/base/stack.json, test_authorization.py (test_service_discovery_stack)
"""

STACK_UPGRADE = ResourceType(
    name="stackUpgrade",
    base="stackUpgrade",
    prefix="1su",
    plural="stackupgrades",
    collected=False,
    fields={
        "dockerCompose": extra("string", "cr"),
        "environment": extra("map[string]", "cr"),
        "externalId": extra("string", "cr"),
        "rancherCompose": extra("string", "cr"),
    },
    rights={ADMIN: "r", USER: "r", PROJECT: "cr", RESTRICTED: "cr"},
)
"""cattle: schema/base/stackUpgrade.json, schema/project/project-auth.json"""
