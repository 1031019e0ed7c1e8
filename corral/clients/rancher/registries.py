"""What Rancher is asked of registries and the log-ins there: one method a call.

All of it is in the scope of an environment: out of it they are read-only, whoever asks.
Source: cattle, test_authorization.py (test_registry, test_registry_credentials).
"""

from corral.clients.rancher.answers import Answer, Named
from corral.clients.rancher.paths import scoped_path
from corral.clients.rancher.transport import Transport
from corral.domain.set_up.registries import KnownLogin, KnownRegistry, Login

REGISTRIES = "registries"
LOGINS = "registrycredentials"


class RegistryAnswer(Named):
    """A registry."""

    server_address: str = ""

    def plain(self) -> KnownRegistry:
        """Return it without Rancher's spelling."""
        return KnownRegistry(self.id, self.server_address, self.state or "")


class LoginAnswer(Named):
    """A log-in at a registry; its password is in no answer but the first, and never read."""

    registry_id: str | None = None
    public_value: str | None = None
    description: str | None = None

    def plain(self) -> KnownLogin:
        """Return it without Rancher's spelling."""
        return KnownLogin(
            id=self.id,
            registry_id=self.registry_id or "",
            username=self.public_value or "",
            mark=self.description or "",
            state=self.state or "",
        )


class RegistryCalls:
    """The calls about registries; who has them brings the transport."""

    _transport: Transport

    def registries(self, project_id: str) -> list[KnownRegistry]:
        """Return the registries of an environment."""
        rows = self._transport.read_all(RegistryAnswer, scoped_path(project_id, REGISTRIES))
        return [row.plain() for row in rows]

    def logins(self, project_id: str) -> list[KnownLogin]:
        """Return the log-ins at all registries of an environment, without their passwords."""
        rows = self._transport.read_all(LoginAnswer, scoped_path(project_id, LOGINS))
        return [row.plain() for row in rows]

    def create_registry(self, project_id: str, address: str) -> None:
        """Make a registry, still without a log-in."""
        body = {"serverAddress": address, "name": address}
        self._transport.write(Answer, "POST", scoped_path(project_id, REGISTRIES), body)

    def create_login(self, project_id: str, registry_id: str, login: Login) -> None:
        """Make the log-in of a registry."""
        body = {"registryId": registry_id, **_body(login)}
        self._transport.write(Answer, "POST", scoped_path(project_id, LOGINS), body)

    def change_login(self, project_id: str, login_id: str, login: Login) -> None:
        """Give a log-in another user and password, both at once: it works all the time.

        Source: cattle, registryCredential of user-auth.json; rancher/rancher-ecr-credentials.
        """
        path = scoped_path(project_id, LOGINS, login_id)
        self._transport.write(Answer, "PUT", path, _body(login))

    def activate_registry(self, project_id: str, registry_id: str) -> None:
        """Let hosts pull from a registry that somebody switched off."""
        path = f"{scoped_path(project_id, REGISTRIES, registry_id)}?action=activate"
        self._transport.write(Answer, "POST", path)

    def activate_login(self, project_id: str, login_id: str) -> None:
        """Let hosts use a log-in that somebody switched off."""
        path = f"{scoped_path(project_id, LOGINS, login_id)}?action=activate"
        self._transport.write(Answer, "POST", path)


def _body(login: Login) -> dict[str, str]:
    return {
        "publicValue": login.username,
        "secretValue": login.password.get_secret_value(),
        "description": login.mark,
    }
