"""Access control with names and passwords of Rancher's own."""

import time

from lab.rancher.auth_accounts import PASSWORD_KIND, find_password
from lab.rancher.auth_settings import LOCAL, LOCAL_ACCESS_MODE, NONE, PROVIDER, SECURITY
from lab.rancher.bodies import validated
from lab.rancher.call import Call
from lab.rancher.callers import first_admin
from lab.rancher.managers import CREATED, Manager
from lab.rancher.problems import ApiError
from lab.rancher.rendering import Document, collection
from lab.rancher.rows import Credential, Row
from lab.rancher.schema.system import LOCAL_AUTH_CONFIG
from lab.rancher.states import ACTIVE, REMOVED


class LocalAuthManager(Manager[Row]):
    """The switch of access control.

    cattle: LocalAuthConfigManager.java
    """

    def __init__(self) -> None:
        super().__init__(LOCAL_AUTH_CONFIG)

    def browse(self, call: Call) -> Document:
        """Answer how access control is set, as a collection of one."""
        entry: Document = {
            "accessMode": call.settings.get(LOCAL_ACCESS_MODE),
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
        enabled, mode = values.get("enabled"), values.get("access_mode")
        if enabled is None:
            call.settings.write(SECURITY, "false")
            call.settings.write(PROVIDER, NONE)
            nobody = {"access_mode": mode, "enabled": False, "name": "", "username": ""}
            return CREATED, self._document(call, nobody)
        call.settings.write(SECURITY, "true" if enabled else "false")
        username = str(values["username"])
        if username.strip():
            self._verify(call, username, str(values["password"]), values.get("name"))
        call.settings.write(PROVIDER, LOCAL)
        call.settings.write(LOCAL_ACCESS_MODE, str(mode or ""))
        return CREATED, self._document(call, values)

    @staticmethod
    def _verify(call: Call, username: str, password: str, name: object) -> None:
        """Compare the password of a known name; a new one becomes the first admin's only one.

        cattle: PasswordDaoImpl.verifyUsernamePassword, createAdminAccountAndPassword
        """
        known = find_password(call.cluster.store, username)
        if known is not None:
            if known.secret_value != password:
                message = f"Username: {username} is taken and provided password is incorrect."
                raise ApiError(401, "IncorrectPassword", message)
            return
        if not password.strip():
            message = "Cannot have blank username or password."
            raise ApiError(400, "UserCredentialCreation", message)
        admin = first_admin(call.cluster.store)
        if admin is None:
            raise ApiError(500)
        for old in call.cluster.store.credentials.where("account_id", admin.id):
            if old.kind == PASSWORD_KIND:
                old.state, old.removed = REMOVED, time.time()
        admin.name = str(name) if name else admin.name
        call.cluster.sessions.logged_in.add(admin.id)
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
