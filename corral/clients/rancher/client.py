"""What corral asks of Rancher 1.6 and has it do: one method a call, in plain terms.

Nothing here decides, and nothing waits for a state.
"""

from corral.clients.rancher.access import AccessCalls
from corral.clients.rancher.answers import (
    AccountAnswer,
    Answer,
    KeyAnswer,
    MemberAnswer,
    ProjectAnswer,
    SettingAnswer,
    TemplateAnswer,
)
from corral.clients.rancher.catalog import CatalogCalls
from corral.clients.rancher.environments import EnvironmentCalls
from corral.clients.rancher.hosts import HostCalls
from corral.clients.rancher.paths import API, path_of
from corral.clients.rancher.refusals import refusal
from corral.clients.rancher.registries import RegistryCalls
from corral.clients.rancher.stacks import StackCalls
from corral.clients.rancher.transport import Transport
from corral.domain.gate import NO_CONNECTION, Member
from corral.domain.set_up.environments import KnownProject
from corral.domain.set_up.keys import KeyPair, KnownKey
from corral.domain.set_up.steps import GONE_STATES
from corral.errors import (
    RancherAnswerError,
    RancherError,
    RancherRefusedError,
    RancherUnreachableError,
)

ADMIN = "admin"
REMOVE_DELAY = "host.remove.delay.seconds"
NEVER_S = -1


class RancherClient(
    AccessCalls, HostCalls, EnvironmentCalls, RegistryCalls, CatalogCalls, StackCalls
):
    """One Rancher, spoken to with one key, or as nobody."""

    def __init__(self, url: str, key: KeyPair | None = None, *, attempts: int = 5) -> None:
        """Remember where and as whom to speak; nothing is sent yet.

        Args:
            url: Scheme, host and port, as `https://rancher.example.com`.
            key: None speaks as nobody, which is an administrator while access control is off.
            attempts: How often a read is tried while nobody answers.
        """
        self._transport = Transport(url, key, attempts=attempts)

    @property
    def url(self) -> str:
        """Where this Rancher is reached."""
        return self._transport.url

    # What a gate asks: answers in the words of who gave them, never an error.

    def ping(self) -> str:
        """Return status and text of `/ping`: `200 pong`, or what came instead."""
        try:
            reply = self._transport.probe("/ping")
        except RancherUnreachableError as error:
            return f"{NO_CONNECTION}, {_said(error)}"
        except RancherError as error:
            return _said(error)
        return f"{reply.status} {reply.text[:80]}".strip()

    def version(self) -> str:
        """Return the server's version, which it says even to strangers."""
        try:
            reply = self._transport.probe(API)
        except RancherError as error:
            return _said(error)
        return reply.version or f"{reply.status} without a version"

    def server_version(self) -> str:
        """Return the server's version, for whoever decides by it.

        Raises:
            RancherError: It was not said; what came instead of it is no version.
        """
        reply = self._transport.probe(API)
        if not reply.version:
            raise refusal(f"GET {self.url}{API}, asked for its version,", reply)
        return reply.version

    def websocket(self) -> str:
        """Return the status of a WebSocket upgrade: `101`, or what came instead.

        Events are offered by environments only; every Rancher is born with one.

        Source: cattle, tests/integration/cattletest/core/test_authorization.py (subscribe).
        """
        try:
            project = next((p for p in self.projects() if p.state == "active"), None)
            if project is None:
                return "no active environment to open one in"
            path = f"{API}/projects/{project.id}/subscribe?eventNames=resource.change"
            return str(self._transport.upgrade(path))
        except RancherError as error:
            return _said(error)

    def members(self) -> tuple[Member, ...] | str:
        """Return the servers of the cluster by Rancher's own list, or what was answered instead."""
        try:
            rows = self._transport.read_all(MemberAnswer, f"{API}/clustermemberships")
            return tuple(row.plain() for row in rows)
        except RancherError as error:
            return _said(error)

    # Access

    def is_accepted(self) -> bool:
        """Say whether Rancher knows who is asking.

        Raises:
            RancherError: It could not be found out.
        """
        try:
            self._transport.read(Answer, f"{API}/projects", {"limit": "1"})
        except RancherRefusedError:
            return False
        return True

    def admin_account_id(self) -> str:
        """Return the account that access control gives its password to: the first administrator.

        Source: cattle, AuthDaoImpl.getAdminAccount.
        """
        accounts = self._transport.read_all(AccountAnswer, f"{API}/accounts", {"kind": ADMIN})
        admins = [a for a in accounts if a.kind == ADMIN and a.state not in GONE_STATES]
        if not admins:
            raise RancherAnswerError(f"{self.url} shows no administrator's account")
        return min(admins, key=lambda account: _number(account.id)).id

    def api_keys(self, account_id: str | None = None) -> list[KnownKey]:
        """Return the API keys of one account or environment; None asks for everybody's."""
        filters = {"accountId": account_id} if account_id else {}
        keys = self._transport.read_all(KeyAnswer, f"{API}/apikeys", filters)
        return [key.plain() for key in keys if account_id in (None, key.account_id)]

    def create_key(self, account_id: str, name: str, description: str) -> KeyPair:
        """Make an API key and return it; its secret half is shown this once."""
        body = {"accountId": account_id, "name": name, "description": description}
        key = self._transport.write(KeyAnswer, "POST", f"{API}/apikeys", body)
        if not key.public_value or not key.secret_value:
            raise RancherAnswerError(f"{self.url} made the API key {key.id}, but shows no secret")
        return KeyPair(key.public_value, key.secret_value)

    def act_on_key(self, key_id: str, action: str) -> None:
        """Have an API key deactivated, or removed once it is inactive."""
        self._transport.write(Answer, "POST", f"{path_of('apikeys', key_id)}?action={action}")

    def switch_on_local_access_control(self, username: str, password: str) -> None:
        """Let nobody in without a key or this password.

        Source: cattle, LocalAuthConfigManager.java: leaving out `enabled` switches security off.
        """
        body = {
            "type": "localAuthConfig",
            "username": username,
            "password": password,
            "name": username,
            "accessMode": "unrestricted",
            "enabled": True,
        }
        self._transport.write(Answer, "POST", f"{API}/localauthconfigs", body)

    # Settings

    def setting(self, name: str) -> SettingAnswer:
        """Return one setting: what holds, and where it comes from."""
        return self._transport.read(SettingAnswer, path_of("settings", name))

    def set_setting(self, name: str, value: str) -> None:
        """Write one setting into Rancher's database."""
        self._transport.write(Answer, "PUT", path_of("settings", name), {"value": value})

    def host_remove_delay_s(self) -> int:
        """Return after how many seconds Rancher itself removes silent hosts; -1 is never.

        Environments may have a delay of their own.

        Source: cattle, defaults.properties (host.remove.delay.seconds).
        """
        said = self.setting(REMOVE_DELAY).effective
        try:
            return int(said or NEVER_S)
        except ValueError as error:
            raise RancherAnswerError(
                f"{self.url} has the setting {REMOVE_DELAY} at {said!r}, which is no number"
            ) from error

    # Environments

    def projects(self) -> list[KnownProject]:
        """Return every environment; without `all` even administrators see only their own."""
        rows = self._transport.read_all(ProjectAnswer, f"{API}/projects", {"all": "true"})
        return [row.plain() for row in rows]

    def template_id(self, name: str) -> str | None:
        """Return the id of an active project template; None until the catalog has been loaded."""
        templates = self._transport.read_all(
            TemplateAnswer, f"{API}/projecttemplates", {"name": name}
        )
        found = [t.id for t in templates if t.name == name and t.state == "active"]
        return min(found, key=_number, default=None)

    def create_project(self, name: str, description: str, template_id: str) -> KnownProject:
        """Make an environment; how it is orchestrated can never be changed later."""
        body = {"name": name, "description": description, "projectTemplateId": template_id}
        return self._transport.write(ProjectAnswer, "POST", f"{API}/projects", body).plain()


def _said(error: RancherError) -> str:
    """Return what was answered, or why nothing was, in a few words."""
    return " ".join(filter(None, [str(error.status or ""), error.code])) or str(error)


def _number(resource_id: str) -> int:
    """Return the number in a typed id: 12 in `1a12`. Ids have no other order."""
    digits = "".join(c if c.isdigit() else " " for c in resource_id).split()
    return int(digits[-1]) if digits else 0
