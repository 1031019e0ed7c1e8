"""The types around the server itself: settings, access control, cluster, schemas."""

from lab.rancher.schema.shape import (
    ADMIN,
    AGENT,
    PROJECT,
    READONLY,
    REGISTER,
    RESTRICTED,
    USER,
    Field,
    ResourceType,
    column,
    extra,
)

CLUSTER_MEMBERSHIP = ResourceType(
    name="clusterMembership",
    base="clusterMembership",
    prefix="1cm",
    plural="clustermemberships",
    fields={
        "clustered": column("boolean"),
        "config": column(),
        "heartbeat": column("int"),
        "id": column("int"),
        "name": column(),
        "uuid": column(),
    },
    rights={ADMIN: "r"},
)
"""cattle: schema/admin/admin-auth.json"""

SETTING = ResourceType(
    name="setting",
    base="setting",
    prefix="1s",
    plural="settings",
    fields={
        "activeValue": extra(),
        "id": extra(),
        "inDb": extra("boolean", "", "r"),
        "name": extra("string", "r", "cr"),
        "source": extra("string", "", "r"),
        "value": extra("string", "r", "cru"),
    },
    rights={ADMIN: "crud", USER: "r", PROJECT: "r", READONLY: "r", RESTRICTED: "r"},
)
"""cattle: test_authorization.py (test_setting_auth)"""

ACTIVE_SETTING = ResourceType(
    name="activeSetting",
    base="setting",
    prefix="1s",
    plural="activesettings",
    fields={**SETTING.fields, "name": extra(), "value": extra("string", "r", "ru")},
    rights={ADMIN: "rud", USER: "r", PROJECT: "r", READONLY: "r", RESTRICTED: "r"},
)
"""cattle: test_authorization.py (test_setting_auth)"""

LOCAL_AUTH_CONFIG = ResourceType(
    name="localAuthConfig",
    base="localAuthConfig",
    prefix="1lac",
    plural="localauthconfigs",
    fields={
        "accessMode": Field("string", "cr", column=False, default="unrestricted"),
        "enabled": extra("boolean", "cr"),
        "name": Field("string", "cr", column=False, default="admin"),
        "password": Field("string", "co", column=False, required=True, nullable=False),
        "username": Field("string", "cr", column=False, required=True, nullable=False),
    },
    rights={ADMIN: "cr"},
)
"""cattle: schema/admin/admin-auth.json, LocalAuthConfig.java"""

IDENTITY = ResourceType(
    name="identity",
    base="identity",
    prefix="1i",
    plural="identities",
    fields={
        "all": extra(),
        "externalId": extra(),
        "externalIdType": extra(),
        "id": extra(),
        "login": extra(),
        "name": extra(),
        "profilePicture": extra(),
        "profileUrl": extra(),
        "projectId": extra(),
        "role": extra(),
        "user": extra("boolean"),
    },
    rights=dict.fromkeys((ADMIN, USER, PROJECT, READONLY, RESTRICTED), "r"),
)
"""cattle: schema/user/user-auth.json, Identity.java"""

TOKEN = ResourceType(
    name="token",
    base="token",
    prefix="1t",
    plural="token",
    fields={
        "accountId": extra(),
        "authProvider": extra(),
        "code": Field("string", "c", column=False, required=True),
        "enabled": extra("boolean"),
        "identities": extra("array[identity]"),
        "jwt": extra(),
        "originalLogin": extra(),
        "redirectUrl": extra(),
        "security": extra("boolean"),
        "user": extra(),
        "userIdentity": extra("identity"),
        "userType": extra(),
    },
    rights={ADMIN: "cr", USER: "cr"},
)
"""cattle: test_authorization.py (test_token_auth)"""

SUBSCRIBE = ResourceType(
    name="subscribe",
    base="subscribe",
    prefix="1su",
    plural="subscribe",
    fields={"eventNames": extra("array[string]", "cr")},
    rights={PROJECT: "cr", READONLY: "cr", RESTRICTED: "cr", AGENT: "cr"},
)
"""cattle: test_authorization.py (test_subscribe_auth)"""

SCHEMA = ResourceType(
    name="schema",
    base="schema",
    prefix="1sc",
    plural="schemas",
    fields={
        name: extra(kind)
        for name, kind in {
            "collectionActions": "map[json]",
            "collectionFields": "map[json]",
            "collectionFilters": "map[json]",
            "collectionMethods": "array[string]",
            "includeableLinks": "array[string]",
            "pluralName": "string",
            "resourceActions": "map[json]",
            "resourceFields": "map[json]",
            "resourceMethods": "array[string]",
        }.items()
    },
    rights=dict.fromkeys((ADMIN, USER, PROJECT, READONLY, RESTRICTED, REGISTER, AGENT), "r"),
)
"""cattle: test_authorization.py (test_schema_auth)"""
