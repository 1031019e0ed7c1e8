"""The types of what runs on hosts: containers, and the services that keep up their number.

Not played: making services by the API; stacks and the lever make them.
"""

from typing import Final

from lab.rancher.schema.shape import (
    ADMIN,
    COMMON,
    PROJECT,
    READONLY,
    RESTRICTED,
    USER,
    Field,
    ResourceType,
    column,
    extra,
    process_actions,
)

_FIELDS: Final = {
    **COMMON,
    "externalId": column(),
    "hostId": extra("reference[host]"),
    "imageUuid": extra("string", "cr"),
    "labels": extra("map[string]", "cr"),
    "nativeContainer": column("boolean"),
    "primaryIpAddress": extra(),
    "requestedHostId": extra("reference[host]", "cr"),
    "serviceIds": extra("array[reference[service]]"),
    "system": column("boolean"),
}

CONTAINER = ResourceType(
    name="container",
    base="instance",
    prefix="1i",
    plural="containers",
    kind="container",
    fields=_FIELDS,
    rights={ADMIN: "r", USER: "r", PROJECT: "crud", READONLY: "r", RESTRICTED: "crud"},
    actions=process_actions("instance", "start stop remove purge", "container"),
)
"""cattle: schema/base/instance.json, test_authorization.py (test_container_auth)"""

INSTANCE = ResourceType(
    name="instance",
    base="instance",
    prefix="1i",
    plural="instances",
    fields=_FIELDS,
    rights=dict.fromkeys((ADMIN, USER, PROJECT, READONLY, RESTRICTED), "r"),
    actions=CONTAINER.actions,
)
"""What containers are a kind of; its rows are shown as what they are.

cattle: schema/user/user-auth.json (instance)
"""

SERVICE = ResourceType(
    name="service",
    base="service",
    prefix="1s",
    plural="services",
    kind="service",
    fields={
        **COMMON,
        "currentScale": extra("int"),
        "healthState": extra("string"),
        "instanceIds": extra("array[reference[instance]]"),
        "launchConfig": extra("launchConfig"),
        "scale": extra("int"),
        "stackId": column("reference[stack]"),
        "system": Field("boolean", "r", nullable=False, default=False),
    },
    rights=dict.fromkeys((ADMIN, USER, PROJECT, READONLY, RESTRICTED), "r"),
)
"""cattle: schema/base/service.json, test_authorization.py (test_service_discovery_service)"""
