"""Access control with names and passwords of Rancher's own, and logging in."""

import time
from typing import TYPE_CHECKING

from lab.rancher.bodies import validated
from lab.rancher.call import Call
from lab.rancher.engine import is_active
from lab.rancher.managers import CREATED, Manager
from lab.rancher.problems import ApiError, invalid
from lab.rancher.rendering import Document, collection, format_id
from lab.rancher.rows import Account, Credential, Row
from lab.rancher.schema.shape import ADMIN
from lab.rancher.schema.system import LOCAL_AUTH_CONFIG, TOKEN
from lab.rancher.settings import Settings
from lab.rancher.states import ACTIVE
from lab.rancher.urls import Urls

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

SECURITY = "api.security.enabled"
PROVIDER = "api.auth.provider.configured"
ACCESS_MODE = "api.auth.access.mode"
LOCAL = "localauthconfig"
PASSWORD_KIND = "password"


class LocalAuthManager(Manager[Row]):
    """The switch of access control.

    cattle: LocalAuthConfigManager.java
    """

    def __init__(self) -> None:
        super().__init__(LOCAL_AUTH_CONFIG)

    def browse(self, call: Call) -> Document:
        """Answer how access control is set, as a collection of one."""
        entry: Document = {
            "accessMode": call.settings.get(ACCESS_MODE),
            "enabled": call.settings.is_on(SECURITY),
            "name": "",
            "username": "",
        }
        return collection(call, self.kind, [self._document(call, entry)])

    def create(self, call: Call) -> tuple[int, Document]:
        """Switch access control on or off.

        Leaving out `enabled` switches it off; and it is on before the password is looked at.
        """
        values = validated(self.kind, call.caller.role, call.body, call.cluster.store, create=True)
        enabled = values.get("enabled")
        if enabled is None:
            call.settings.write(SECURITY, "false")
            call.settings.write(PROVIDER, "none")
            return CREATED, self._document(call, {**values, "enabled": False})
        call.settings.write(SECURITY, "true" if enabled else "false")
        username, password = values.get("username"), values.get("password")
        if username:
            self._verify(call, str(username), str(password or ""), values.get("name"))
        call.settings.write(PROVIDER, LOCAL)
        call.settings.write(ACCESS_MODE, str(values.get("access_mode") or "unrestricted"))
        return CREATED, self._document(call, values)

    @staticmethod
    def _verify(call: Call, username: str, password: str, name: object) -> None:
        """Compare the password of a known name; a new one becomes the first admin's.

        cattle: PasswordDaoImpl.verifyUsernamePassword
        """
        if not password:
            raise invalid("MissingRequired", "password")
        known = find_password(call.cluster, username)
        if known is not None:
            if known.secret_value != password:
                message = f"Username: {username} is taken and provided password is incorrect."
                raise ApiError(401, "IncorrectPassword", message)
            return
        admin = next(row for row in call.cluster.store.accounts if row.kind == ADMIN)
        admin.name = str(name) if name else admin.name
        call.cluster.store.credentials.add(
            Credential(
                kind=PASSWORD_KIND,
                state=ACTIVE,
                created=time.time(),
                account_id=admin.id,
                public_value=username,
                secret_value=password,
            )
        )

    def _document(self, call: Call, values: Document) -> Document:
        del call
        return {
            "id": None,
            "type": self.kind.name,
            "links": {},
            "actions": {},
            "accessMode": values.get("access_mode", values.get("accessMode")),
            "enabled": values.get("enabled"),
            "name": values.get("name"),
            "password": values.get("password"),
            "username": values.get("username"),
        }


def find_password(cluster: "RancherCluster", username: str) -> Credential | None:
    """Return the password of a user's name."""
    found = (
        row
        for row in cluster.store.credentials.where("public_value", username)
        if row.kind == PASSWORD_KIND and is_active(row)
    )
    return next(found, None)


def describe_login(settings: Settings, urls: Urls) -> Document:
    """Answer how one logs in; nobody has to be logged in to ask.

    cattle: TokenResourceManager.java
    """
    here = urls.collection(TOKEN.plural)
    entry: Document = {
        "id": None,
        "type": TOKEN.name,
        "links": {},
        "actions": {},
        "accessMode": settings.get(ACCESS_MODE),
        "authProvider": settings.get(PROVIDER),
        "enabled": settings.is_on(SECURITY),
        "security": settings.is_on(SECURITY),
    }
    return {
        "type": "collection",
        "resourceType": TOKEN.name,
        "links": {"self": here},
        "createTypes": {TOKEN.name: here},
        "actions": {},
        "data": [entry],
    }


def log_in(cluster: "RancherCluster", settings: Settings, code: object) -> Document:
    """Exchange `name:password` for a token.

    Raises:
        ApiError: 422 without a code, 401 for a wrong one.

    """
    if not isinstance(code, str):
        raise invalid("MissingRequired", "code")
    username, _, password = code.partition(":")
    known = find_password(cluster, username)
    if known is None or known.secret_value != password or known.account_id is None:
        raise ApiError(401)
    account = cluster.store.accounts.get(known.account_id)
    if account is None or not is_active(account):
        raise ApiError(401)
    lifetime = settings.number("api.auth.jwt.token.expiry") / 1000
    return _token(account, username, cluster.sessions.open(account.id, lifetime))


def _token(account: Account, username: str, jwt: str) -> Document:
    account_id = format_id("account", account.id)
    return {
        "id": None,
        "type": TOKEN.name,
        "links": {},
        "actions": {},
        "accountId": account_id,
        "authProvider": LOCAL,
        "jwt": jwt,
        "security": True,
        "user": username,
        "userIdentity": {
            "type": "identity",
            "externalId": account_id,
            "externalIdType": "rancher_id",
            "login": username,
            "name": account.name,
        },
        "userType": account.kind,
    }
