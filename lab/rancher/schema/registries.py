"""The types around registries of images, and how hosts log in there."""

from lab.rancher.schema.accounts import CREDENTIAL_ACTIONS
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

REGISTRY = ResourceType(
    name="registry",
    base="storagePool",
    prefix="1sp",
    plural="registries",
    kind="registry",
    fields={
        **COMMON,
        "driverName": column("string"),
        "externalId": column("string"),
        "serverAddress": Field("string", "cr", column=False, required=True, nullable=False),
        "volumeAccessMode": extra("string"),
    },
    rights={ADMIN: "r", USER: "r", PROJECT: "crud", READONLY: "r", RESTRICTED: "crud"},
    actions=process_actions("storagePool", CREDENTIAL_ACTIONS, "registry"),
)
"""Its address is no column: no filter finds it, and no PUT changes it.

cattle: schema/base/registry.json, test_authorization.py (test_registry)
"""

REGISTRY_CREDENTIAL = ResourceType(
    name="registryCredential",
    base="credential",
    prefix="1c",
    plural="registrycredentials",
    kind="registryCredential",
    fields={
        **COMMON,
        "publicValue": column("string", "cru"),
        "registryId": Field("reference[registry]", "cr", required=True, nullable=False),
        "secretValue": column("string", "cuo"),
    },
    rights={ADMIN: "r", USER: "r", PROJECT: "crud", READONLY: "r", RESTRICTED: "crud"},
    actions=process_actions("credential", CREDENTIAL_ACTIONS, "registryCredential"),
)
"""cattle: schema/base/registryCredential.json, test_authorization.py (test_registry_credentials)"""
