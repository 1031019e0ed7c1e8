"""The types around who may call: accounts, environments, keys."""

from typing import Final

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

CREDENTIAL_ACTIONS = "activate deactivate remove purge update"

MEMBER_ROLES: Final = ("member", "owner", "readonly", "restricted")
IDENTITY_KINDS: Final = (
    *("rancher_id", "openldap_user", "openldap_group", "azuread_user", "azuread_group"),
    *("github_user", "github_org", "github_team", "shibboleth_user", "shibboleth_group"),
    *("ldap_user", "ldap_group"),
)
"""cattle: schema/base/projectMember.json, auth.service.external.id.types"""

API_KEY = ResourceType(
    name="apiKey",
    base="credential",
    prefix="1c",
    plural="apikeys",
    kind="apiKey",
    fields={
        **COMMON,
        "accountId": column("reference[account]", "r", "cr"),
        "publicValue": column("string", "r", "cr"),
        "secretValue": column("string", "o", "co"),
    },
    rights={ADMIN: "crud", USER: "crud", PROJECT: "crud", READONLY: "r", RESTRICTED: "crud"},
    actions=process_actions("credential", CREDENTIAL_ACTIONS, "credential"),
)
"""cattle: test_authorization.py (test_api_key_auth)"""

REGISTRATION_TOKEN = ResourceType(
    name="registrationToken",
    base="credential",
    prefix="1c",
    plural="registrationtokens",
    kind="registrationToken",
    fields={
        **COMMON,
        "command": extra(),
        "image": extra(),
        "registrationUrl": extra(),
        "token": extra(),
        "windowsCommand": extra(),
    },
    rights={ADMIN: "r", USER: "r", PROJECT: "cr"},
    actions=process_actions("credential", CREDENTIAL_ACTIONS, "credential"),
)
"""cattle: test_authorization.py (test_registration_tokens_auth), restricted-user.json"""

PASSWORD = ResourceType(
    name="password",
    base="credential",
    prefix="1c",
    plural="passwords",
    kind="password",
    fields={
        **COMMON,
        "accountId": column("reference[account]", "r", "cr"),
        "publicValue": column("string", "r", "cr"),
        "secretValue": column("string", "o", "co"),
    },
    rights={ADMIN: "crud", USER: "r"},
    actions=process_actions("credential", CREDENTIAL_ACTIONS, "credential"),
)
"""cattle: schema/admin/admin-auth.json"""

ACCOUNT = ResourceType(
    name="account",
    base="account",
    prefix="1a",
    plural="accounts",
    fields={
        **COMMON,
        "externalId": column("string", "r", "cru"),
        "externalIdType": column("string", "r", "cru"),
        "kind": column("string", "r", "cru"),
        "uuid": column("string", "r", "cr"),
    },
    rights={ADMIN: "crud", USER: "r", PROJECT: "r", READONLY: "r", RESTRICTED: "r"},
    actions=process_actions("account", "activate deactivate remove purge update", "account"),
)
"""cattle: schema/admin/admin-auth.json"""

PROJECT_TYPE = ResourceType(
    name="project",
    base="account",
    prefix="1a",
    plural="projects",
    kind="project",
    fields={
        **COMMON,
        "allowSystemRole": extra("boolean", "", "cru"),
        "healthState": column("string"),
        "hostRemoveDelaySeconds": extra("int", "cru"),
        "members": extra("array[projectMember]", "cr"),
        "orchestration": extra("string"),
        "projectTemplateId": column("reference[projectTemplate]", "cr"),
        "uuid": column("string", "r", "cr"),
        "virtualMachine": Field("boolean", "cru", column=False, nullable=False, default=False),
    },
    rights={ADMIN: "crud", USER: "crud", PROJECT: "r", READONLY: "r", RESTRICTED: "r"},
    actions={
        **process_actions("account", "activate deactivate remove purge update", "account"),
        "delete": Action(None),
        "upgrade": Action(None),
        "setmembers": Action(None, "setProjectMembersInput", "setProjectMembersInput"),
    },
)
"""cattle: schema/base/project.json, test_authorization.py (test_project_auth)"""

PROJECT_MEMBER = ResourceType(
    name="projectMember",
    base="projectMember",
    prefix="1pm",
    plural="projectmembers",
    fields={
        **COMMON,
        "externalId": column("string", "cr"),
        "externalIdType": Field("enum", "cr", options=IDENTITY_KINDS, default="rancher_id"),
        "projectId": column("reference[project]"),
        "role": Field("enum", "cr", options=MEMBER_ROLES, default="member"),
    },
    rights={ADMIN: "r", USER: "r", PROJECT: "r", READONLY: "r", RESTRICTED: "r"},
)
"""Members come with their environment or by its action, never alone: a POST is a 405.

cattle: schema/base/projectMember.json, ProjectMemberResourceManager.createInternal,
test_authorization.py (test_project_member_auth)
"""

PROJECT_TEMPLATE = ResourceType(
    name="projectTemplate",
    base="projectTemplate",
    prefix="1pt",
    plural="projecttemplates",
    fields={
        **COMMON,
        "externalId": column(),
        "isPublic": column("boolean"),
        "stacks": extra("array[catalogTemplate]"),
    },
    rights={ADMIN: "r", USER: "r", PROJECT: "r", READONLY: "r", RESTRICTED: "r"},
)
"""cattle: schema/base/projectTemplate.json"""

SET_MEMBERS_INPUT = ResourceType(
    name="setProjectMembersInput",
    base="setProjectMembersInput",
    prefix="1spmi",
    plural="setprojectmembersinputs",
    collected=False,
    fields={"members": Field("array[projectMember]", "cr", column=False, required=True)},
    rights={ADMIN: "cr", USER: "cr", PROJECT: "cr"},
)
"""cattle: schema/base/setProjectMembersInput.json"""
