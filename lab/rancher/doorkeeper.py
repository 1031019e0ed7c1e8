"""Lets callers in: by a token, a key, or because access control is off."""

import base64
import binascii
from collections.abc import Mapping
from typing import Final, Protocol

from lab.rancher.callers import ROLES, Caller, Known, first_admin, parse_id, role_in
from lab.rancher.engine import is_active
from lab.rancher.problems import ApiError
from lab.rancher.registration_tokens import account_of_token
from lab.rancher.rows import Account
from lab.rancher.schema.shape import REGISTER
from lab.rancher.settings import Settings
from lab.rancher.store import Store

REGISTRATION_USER = "registrationToken"
KEY_KINDS: Final = frozenset({"apiKey", "agentApiKey"})
CHALLENGE = 'Basic realm="Enter API access key and secret key as username and password"'


class Logins(Protocol):
    """Knows people by what logging in gave them."""

    def recognise(self, headers: Mapping[str, str]) -> Known | None:
        """Return whose token a request brings; None: none, or one that holds no longer.

        Raises:
            ApiError: the token is somebody's whom access control does not let in.

        """
        ...

    def known(self, account: Account) -> Known:
        """Return who somebody is whose key was right.

        Raises:
            ApiError: the provider does not answer, or access control does not let them in.

        """
        ...


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

    def __init__(self, store: Store, settings: Settings, logins: Logins) -> None:
        self._store = store
        self._settings = settings
        self._logins = logins

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
        known = self._known(headers)
        if known is None or not is_active(known.account):
            raise unauthorized()
        if project is None:
            return _in_the_name_of(known, known.account, known.account.kind)
        return self._scoped(known, project)

    def _registrar(self, header: str | None) -> Account | None:
        """Let in whoever has a registration token, for registering only.

        cattle: RegistrationTokenAccountLookup.java
        """
        basic = read_basic(header)
        if basic is None or basic[0] != REGISTRATION_USER:
            return None
        return account_of_token(self._store, basic[1])

    def _known(self, headers: Mapping[str, str]) -> Known | None:
        """Return who calls: while access control is off, everybody else is the admin.

        A token counts before a key. Wrong ones do no harm then, right ones still count.
        cattle: TokenAuthLookup.java, BasicAuthImpl.java, AdminAuthLookUp.java
        """
        known = self._logins.recognise(headers)
        if known is not None:
            return known
        account = self._by_key(read_basic(headers.get("Authorization")))
        if account is not None:
            return self._logins.known(account)
        if self._settings.is_on("api.security.enabled"):
            return None
        if headers.get("X-ENFORCE-AUTHENTICATION") == "true":
            return None
        admin = first_admin(self._store)
        return None if admin is None else Known(admin)

    def _by_key(self, basic: tuple[str, str] | None) -> Account | None:
        if basic is None:
            return None
        for key in self._store.credentials.where("public_value", basic[0]):
            if key.kind in KEY_KINDS and key.secret_value == basic[1] and is_active(key):
                account = self._store.accounts.get(key.account_id)
                return account if is_active(account) else None
        return None

    def _scoped(self, known: Known, project_id: str) -> Caller:
        """Return the caller in the name of an environment.

        cattle: ApiAuthenticator.getAccountRequested
        """
        project = self._store.accounts.get(parse_id(project_id))
        if project is None or not is_active(project):
            raise ApiError(403)
        if project.id == known.account.id:
            return _in_the_name_of(known, project, project.kind)
        role = role_in(self._store, known.account, known.identities, project)
        if role is None:
            raise ApiError(403)
        return _in_the_name_of(known, project, ROLES[role])


def _in_the_name_of(known: Known, account: Account, role: str) -> Caller:
    return Caller(known.account, account, role, known.identities, known.access_token)
