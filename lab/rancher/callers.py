"""Who calls, in which environment's name, and what that lets them do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lab.rancher.engine import is_active
from lab.rancher.rows import Account
from lab.rancher.schema.shape import (
    ADMIN,
    PROJECT,
    READONLY,
    RESTRICTED,
    ResourceType,
)
from lab.rancher.store import Store

MAY_CHANGE_HOSTS: Final = frozenset({ADMIN, PROJECT, "agent"})
"""cattle: modify.infrastructure.roles"""

ROLES: Final[Mapping[str, str]] = {
    "owner": PROJECT,
    "member": PROJECT,
    "restricted": RESTRICTED,
    "readonly": READONLY,
}
"""Which rights a member of an environment has in it, by role.

cattle: AuthDaoImpl.getRole
"""

TYPED_ID: Final = re.compile(r"1[a-z]+!?(\d+)")


def parse_id(text: str) -> int | None:
    """Return the number in an id such as 1h5; None when it is malformed.

    The letters are not compared with the type: 1a5 finds host 5.
    gdapi: TypeIdFormatter.parseId
    """
    found = TYPED_ID.fullmatch(text)
    return int(found[1]) if found else None


Key = tuple[str, str]
"""What identities are told apart by: kind and number."""


def identity_key(kind: str, external_id: str) -> Key:
    """Return what an identity is the same by: accounts of Rancher's own are written 1a7 or 7.

    cattle: RancherIdentityProvider.transform
    """
    number = parse_id(external_id) if kind == "rancher_id" else None
    return kind, external_id if number is None else str(number)


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who was recognised: the account, and who else they are at the provider's."""

    account: Account
    others: frozenset[Key] = frozenset()
    access_token: str = field(default="", repr=False)
    """What the provider is asked with in their name."""

    @property
    def identities(self) -> frozenset[Key]:
        """Return all identities.

        cattle: ApiAuthenticator.getIdentities
        """
        return self.others | {identity_key("rancher_id", str(self.account.id))}


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was let in."""

    user: Account
    """Who it is."""
    account: Account
    """In whose name: an environment when the call is scoped, else the user's own account."""
    role: str
    identities: frozenset[Key] = frozenset()
    access_token: str = field(default="", repr=False)

    @property
    def sees_all(self) -> bool:
        """Say whether rows of every account are shown.

        cattle: account.type.admin.list.all.accounts
        """
        return self.role == ADMIN

    @property
    def may_change_hosts(self) -> bool:
        """Say whether hosts may be changed, and tokens for new ones read."""
        return self.role in MAY_CHANGE_HOSTS

    def may(self, letter: str, kind: ResourceType) -> bool:
        """Say whether the caller has a right (c, r, u or d) on a type."""
        return letter in kind.rights.get(self.role, "")

    def knows(self, kind: ResourceType) -> bool:
        """Say whether the type is in the caller's schema at all."""
        return bool(kind.rights.get(self.role, ""))


def first_admin(store: Store) -> Account | None:
    """Return the first admin.

    cattle: AuthDaoImpl.getAdminAccount
    """
    admins = (row for row in store.accounts if row.kind == ADMIN and is_active(row))
    return next(admins, None)


def role_in(
    store: Store, user: Account, identities: frozenset[Key], project: Account
) -> str | None:
    """Return the best role somebody has in an environment; admins own all.

    cattle: AuthDaoImpl.getRole
    """
    if user.kind == ADMIN:
        return "owner"
    roles = {
        member.role
        for member in store.project_members.where("project_id", project.id)
        if identity_key(member.external_id_type, member.external_id) in identities
        and is_active(member)
    }
    return next((role for role in ROLES if role in roles), None)
