"""Set-up of a new Rancher through its API; each step is looked up before it is made.

A run may die between any two calls: what it left half-done is found and finished by the next one.
An unchanged Rancher is only read. Secrets go into the vault before anything depends on them, and
nowhere else.
"""

import logging
import secrets
from collections.abc import Callable, Iterator, Sequence

from pydantic import SecretStr

from corral.clients.rancher.administrator import find_administrator
from corral.clients.rancher.client import RancherClient
from corral.clients.rancher.keys import ACTIVE, Patience, ensure_key
from corral.clients.rancher.vault import (
    AdminSecret,
    HostsSecret,
    Vault,
    admin_secret,
    read_admin_key,
    read_secret,
)
from corral.cluster import Environment
from corral.domain.access import (
    Did,
    KeyPair,
    KnownProject,
    Step,
    find_project,
    key_name,
    needs_access_control,
    needs_setting,
)
from corral.domain.stacks import environment_secret
from corral.errors import PrerequisiteError, RancherGoneError

log = logging.getLogger(__name__)

ADMIN_USERNAME = "admin"
PASSWORD_BYTES = 24
TEMPLATE = "Cattle"


class SetUp:
    """Sets one Rancher up, step by step."""

    def __init__(
        self,
        cluster: str,
        vault: Vault,
        *,
        public_url: str,
        reached_at: str,
        patience: Patience,
        alerts: Sequence[SecretStr] = (),
    ) -> None:
        """Remember what to set up; nothing is asked yet.

        Args:
            cluster: First part of the secrets' names.
            vault: Where keys and the password are kept.
            public_url: Where hosts and people reach Rancher.
            reached_at: Where this process reaches it.
            patience: How long, and how often, one state is waited for.
            alerts: Apprise URLs of the channels that hosts tell when they cannot join or leave.
        """
        self._cluster = cluster
        self._vault = vault
        self._public_url = public_url
        self._url = reached_at
        self._patience = patience
        self._alerts = "\n".join(url.get_secret_value() for url in alerts)
        self._admin_secret = admin_secret(cluster)

    def secure(self, environments: Sequence[Environment]) -> Iterator[Step]:
        """Close Rancher to strangers, step by step, and yield what each step came to.

        Raises:
            AmbiguousError: A name of the environments is held twice; nothing was changed.
        """
        self._check_names(environments)
        yield _told(self.ensure_admin_key())
        yield _told(self.ensure_access_control())

    def furnish(self, environments: Sequence[Environment]) -> Iterator[Step]:
        """Make a closed Rancher ready for hosts, step by step, and yield what each step came to.

        Raises:
            AmbiguousError: A name of the environments is held twice; nothing was changed.
        """
        self._check_names(environments)
        yield _told(self.ensure_registration_url())
        for environment in environments:
            yield _told(self.ensure_environment(environment))
            yield _told(self.ensure_environment_key(environment))

    def ensure_admin_key(self) -> Step:
        """See to it that the vault holds an administrator's key that Rancher accepts.

        Raises:
            PrerequisiteError: Access control is on, and nothing in the vault opens it.
        """
        secret = read_secret(self._vault, self._admin_secret, AdminSecret)
        rancher = find_administrator(self._url, self._vault, self._cluster)

        def store(pair: KeyPair) -> None:
            fresh = AdminSecret(
                access_key=pair.access_key,
                secret_key=pair.secret_key,
                username=secret.username or ADMIN_USERNAME,
                password=secret.password or secrets.token_urlsafe(PASSWORD_BYTES),
            )
            self._vault.write(self._admin_secret, fresh.model_dump())

        did = self._ensure_key(
            rancher, rancher.admin_account_id(), self._admin_secret, secret.pair, store
        )
        return Step("administrator's key", did)

    def ensure_access_control(self) -> Step:
        """See to it that nobody comes in without a key or the password.

        Raises:
            PrerequisiteError: The vault holds no password to switch it on with.
        """
        what = "access control"
        rancher, secret = self._admin(), read_secret(self._vault, self._admin_secret, AdminSecret)
        enabled = rancher.setting("api.security.enabled").effective == "true"
        provider = rancher.setting("api.auth.provider.configured").effective
        if not needs_access_control(enabled=enabled, provider=provider):
            return Step(what, Did.KEPT)
        if not (secret.username and secret.password):
            raise PrerequisiteError(
                f"The secret {self._admin_secret} holds no username and password to switch access"
                " control on with: add both to it."
            )
        rancher.switch_on_local_access_control(secret.username, secret.password)
        self._patience.wait("access control", self._strangers)
        return Step(what, Did.CREATED)

    def ensure_registration_url(self) -> Step:
        """See to it that hosts are told the cluster's own address.

        Raises:
            PrerequisiteError: The servers' environment fixes another address.
        """
        what, name = "registration address", "api.host"
        rancher = self._admin()
        now = rancher.setting(name)
        if not needs_setting(
            name, value=now.effective, source=now.source or "", wanted=self._public_url
        ):
            return Step(what, Did.KEPT)
        rancher.set_setting(name, self._public_url)
        return Step(what, Did.CHANGED if now.effective else Did.CREATED)

    def ensure_environment(self, environment: Environment) -> Step:
        """See to it that an environment of this name exists and is active.

        Raises:
            AmbiguousError: The name is held twice.
        """
        name = environment.name
        rancher = self._admin()
        did = Did.KEPT
        if find_project(name, rancher.projects()) is None:
            rancher.create_project(name, environment.description, self._template_id(rancher))
            did = Did.CREATED
        self._patience.wait(f"environment {name}", lambda: self._inactivity(rancher, name))
        return Step(f"environment {name}", did)

    def ensure_environment_key(self, environment: Environment) -> Step:
        """See to it that the vault holds a key of the environment, and whom its hosts alert."""
        rancher = self._admin()
        project_id = self._project(rancher, environment.name).id
        path = environment_secret(self._cluster, environment.name)
        secret = read_secret(self._vault, path, HostsSecret)

        def store(pair: KeyPair) -> None:
            fresh = self._hosts_secret(project_id, pair)
            self._vault.write(path, fresh.model_dump(exclude_defaults=True))

        stored = secret.pair if secret.project_id == project_id else None
        did = self._ensure_key(rancher, project_id, path, stored, store)
        if did is Did.KEPT and stored and secret != self._hosts_secret(project_id, stored):
            store(stored)
            did = Did.CHANGED
        return Step(f"key of environment {environment.name}", did)

    def _check_names(self, environments: Sequence[Environment]) -> None:
        """See to it that each name means one environment at most."""
        rancher = find_administrator(self._url, self._vault, self._cluster)
        projects = rancher.projects()
        for environment in environments:
            find_project(environment.name, projects)

    def _hosts_secret(self, project_id: str, pair: KeyPair) -> HostsSecret:
        return HostsSecret(
            url=self._public_url,
            project_id=project_id,
            access_key=pair.access_key,
            secret_key=pair.secret_key,
            alerts=self._alerts,
        )

    def _ensure_key(
        self,
        rancher: RancherClient,
        account_id: str,
        path: str,
        stored: KeyPair | None,
        store: Callable[[KeyPair], None],
    ) -> Did:
        return ensure_key(
            rancher,
            account_id=account_id,
            name=key_name(path),
            description=f"Kept in AWS Secrets Manager as {path}",
            stored=stored,
            store=store,
            patience=self._patience,
        )

    def _admin(self) -> RancherClient:
        return RancherClient(self._url, read_admin_key(self._vault, self._cluster))

    def _stranger(self) -> RancherClient:
        return RancherClient(self._url)

    def _template_id(self, rancher: RancherClient) -> str:
        """Return the template's id; it is there once Rancher has loaded its catalog."""
        found: list[str] = []

        def look() -> list[str]:
            found[:] = [i for i in [rancher.template_id(TEMPLATE)] if i]
            return [] if found else ["Rancher has not loaded it from its catalog yet"]

        self._patience.wait(f"project template {TEMPLATE}", look)
        return found[0]

    def _project(self, rancher: RancherClient, name: str) -> KnownProject:
        project = find_project(name, rancher.projects())
        if project is None:
            raise RancherGoneError(f"The environment {name} was there a moment ago: run again.")
        return project

    def _inactivity(self, rancher: RancherClient, name: str) -> list[str]:
        state = self._project(rancher, name).state
        return [] if state == ACTIVE else [f"it is {state}"]

    def _strangers(self) -> list[str]:
        return ["it answers strangers"] if self._stranger().is_accepted() else []


def _told(step: Step) -> Step:
    log.info("%s", step)
    return step
