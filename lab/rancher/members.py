"""Members of environments: given all at once, and only by owners."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lab.rancher.auth_settings import GITHUB, PROVIDER
from lab.rancher.call import Call
from lab.rancher.callers import parse_id
from lab.rancher.engine import is_active
from lab.rancher.problems import ApiError, invalid
from lab.rancher.rendering import format_id
from lab.rancher.rows import Account, ProjectMember
from lab.rancher.schema.accounts import PROJECT_MEMBER
from lab.rancher.states import ACTIVE, INACTIVE

RANCHER_ID: Final = "rancher_id"

Wanted = tuple[str, str, str]
"""Kind of identity, its id, and the role."""


def active_members(call: Call, project: Account) -> list[ProjectMember]:
    """Return who is a member of an environment.

    cattle: AuthDaoImpl.getActiveProjectMembers
    """
    members = call.cluster.store.project_members.where("project_id", project.id)
    return [one for one in members if is_active(one)]


def read_members(given: object) -> list[Mapping[str, str]]:
    """Return members as they were sent, those without kind or role with the usual one.

    gdapi: ValidationHandler.java (array[projectMember]), schema/base/projectMember.json

    Raises:
        ApiError: 422 InvalidOption, InvalidFormat or NotNullable.

    """
    items = given if isinstance(given, list) else [given]
    return [_read_member(one) for one in items]


def _read_member(given: object) -> Mapping[str, str]:
    if given is None:
        raise invalid("NotNullable", "members")
    if not isinstance(given, dict):
        raise invalid("InvalidFormat", "members")
    member = {}
    for name in ("externalId", "externalIdType", "role"):
        field = PROJECT_MEMBER.fields[name]
        value = given.get(name) or field.default
        if field.options and value not in field.options:
            raise invalid("InvalidOption", name)
        if value is not None:
            member[name] = str(value)
    return member


def set_members(call: Call, project: Account, given: Sequence[Mapping[str, str]]) -> None:
    """Give an environment its members, instead of those it had; who stays keeps the row.

    Nobody given: who calls becomes the owner.
    cattle: ProjectMemberResourceManager.setMembers, AuthDaoImpl.setProjectMembers

    Raises:
        ApiError: 400 InvalidFormat for a member without an id, or no owner among them;
            400 invalidIdentityType, 404 identityNotFound.

    """
    wanted = _recognised(call, given) or {_caller(call)}
    if not any(role == "owner" for _kind, _id, role in wanted):
        raise ApiError(400, "InvalidFormat", "Members list does not have an owner")
    known = {_key(one): one for one in active_members(call, project)}
    for key, row in known.items():
        if key not in wanted:
            row.state = INACTIVE
            call.cluster.retire("projectMember", row)
    for key in sorted(wanted - set(known)):
        _add(call, project, key)


def _recognised(call: Call, given: Iterable[Mapping[str, str]]) -> set[Wanted]:
    members = list(given)
    if any("externalId" not in one for one in members):
        raise ApiError(400, "InvalidFormat", "Member format invalid")
    return {
        (
            one["externalIdType"],
            _identify(call, one["externalIdType"], one["externalId"]),
            one["role"],
        )
        for one in members
    }


def _identify(call: Call, kind: str, external_id: str) -> str:
    """Return the id as it is stored. Only Rancher's own are looked up: GitHub's may be anything.

    cattle: IdentityManager.projectMemberToIdentity, RancherIdentityProvider.transform,
    ExternalServiceAuthProvider.transform
    """
    if kind != RANCHER_ID:
        if call.settings.get(PROVIDER) != GITHUB:
            raise ApiError(400, "invalidIdentityType", "Identity externalIdType is invalid")
        return external_id
    number = parse_id(external_id) or (int(external_id) if external_id.isdigit() else None)
    account = call.cluster.store.accounts.get(number)
    if account is None or account.kind == "project" or not is_active(account):
        raise ApiError(404, "identityNotFound", f"Identity: {kind}:{external_id} not found.")
    return format_id("account", account.id) or ""


def _caller(call: Call) -> Wanted:
    return (RANCHER_ID, format_id("account", call.caller.user.id) or "", "owner")


def _key(member: ProjectMember) -> Wanted:
    number = parse_id(member.external_id) if member.external_id_type == RANCHER_ID else None
    external_id = format_id("account", number) or member.external_id
    return (member.external_id_type, external_id, member.role)


def _add(call: Call, project: Account, key: Wanted) -> None:
    """Add a member, which is active in the same moment.

    cattle: AuthDaoImpl.createProjectMember
    """
    kind, external_id, role = key
    row = ProjectMember(
        kind=PROJECT_MEMBER.name,
        state=ACTIVE,
        created=time.time(),
        account_id=project.id,
        project_id=project.id,
        external_id=external_id,
        external_id_type=kind,
        role=role,
    )
    call.cluster.store.project_members.add(row)
