"""Who calls, in which environment's name, and what that lets them do."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lab.rancher.engine import is_active
from lab.rancher.problems import ApiError
from lab.rancher.registration_tokens import account_of_token
from lab.rancher.rows import Account
from lab.rancher.schema.shape import (
    ADMIN,
    PROJECT,
    READONLY,
    REGISTER,
    RESTRICTED,
    ResourceType,
)
from lab.rancher.sessions import Sessions
from lab.rancher.settings import Settings
from lab.rancher.store import Store

REGISTRATION_USER = "registrationToken"
KEY_KINDS: Final = frozenset({"apiKey", "agentApiKey"})
CHALLENGE = 'Basic realm="Enter API access key and secret key as username and password"'

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


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was let in."""

    user: Account
    """Who it is."""
    account: Account
    """In whose name: an environment when the call is scoped, else the user's own account."""
    role: str

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


def unauthorized() -> ApiError:
    """Nobody, or somebody with a wrong key."""
    return ApiError(401)


def read_basic(header: str | None) -> tuple[str, str] | None:
    """Return user and password of an Authorization header."""
    scheme, _, text = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None


class Doorkeeper:
    """Finds out who a call comes from."""

    def __init__(self, store: Store, settings: Settings, sessions: Sessions) -> None:
        self._store = store
        self._settings = settings
        self._sessions = sessions

    def admit(self, headers: Mapping[str, str], project: str | None) -> Caller:
        """Return the caller.

        Args:
            headers: of the request.
            project: id of the environment that the path, a header or a parameter names.

        Raises:
            ApiError: 401, or 403 for an environment the caller does not see.

        """
        registrar = self._registrar(headers.get("Authorization"))
        if registrar is not None:
            return Caller(registrar, registrar, REGISTER)
        user = self._user(headers)
        if user is None:
            raise unauthorized()
        if project is None:
            return Caller(user, user, user.kind)
        return self._scoped(user, project)

    def _registrar(self, header: str | None) -> Account | None:
        """Let in whoever has a registration token, for registering only.

        cattle: RegistrationTokenAccountLookup.java
        """
        basic = read_basic(header)
        if basic is None or basic[0] != REGISTRATION_USER:
            return None
        return account_of_token(self._store, basic[1])

    def _user(self, headers: Mapping[str, str]) -> Account | None:
        """Return who calls: while access control is off, everybody else is the admin.

        Wrong keys do no harm then, right ones still count.
        cattle: BasicAuthImpl.java, AdminAuthLookUp.java
        """
        header = headers.get("Authorization")
        account = self._by_key(read_basic(header)) or self._by_session(header)
        if account is not None or self._settings.is_on("api.security.enabled"):
            return account
        if headers.get("X-ENFORCE-AUTHENTICATION") == "true":
            return None
        return self.admin()

    def admin(self) -> Account | None:
        """Return the first admin.

        cattle: AuthDaoImpl.getAdminAccount
        """
        admins = (row for row in self._store.accounts if row.kind == ADMIN and is_active(row))
        return next(admins, None)

    def _by_key(self, basic: tuple[str, str] | None) -> Account | None:
        if basic is None:
            return None
        for key in self._store.credentials.where("public_value", basic[0]):
            if key.kind in KEY_KINDS and key.secret_value == basic[1] and is_active(key):
                account = self._store.accounts.get(key.account_id)
                return account if is_active(account) else None
        return None

    def _by_session(self, header: str | None) -> Account | None:
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        return self._store.accounts.get(self._sessions.account_id(token.strip()))

    def _scoped(self, user: Account, project_id: str) -> Caller:
        """Return the caller in the name of an environment.

        cattle: ApiAuthenticator.getAccountRequested
        """
        project = self._store.accounts.get(parse_id(project_id))
        if project is None or not is_active(project):
            raise ApiError(403)
        if project.id == user.id:
            return Caller(user, user, user.kind)
        role = self.role_in(user, project)
        if role is None:
            raise ApiError(403)
        return Caller(user, project, ROLES[role])

    def role_in(self, user: Account, project: Account) -> str | None:
        """Return the best role a user has in an environment; admins own all."""
        if user.kind == ADMIN:
            return "owner"
        roles = {
            member.role
            for member in self._store.project_members.where("project_id", project.id)
            if member.external_id_type == "rancher_id"
            and parse_id(member.external_id) == user.id
            and is_active(member)
        }
        return next((role for role in ROLES if role in roles), None)
