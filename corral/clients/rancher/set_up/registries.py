"""Registries that hosts may pull from, and the log-ins there."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

from pydantic import SecretStr

from corral.clients.rancher.client import RancherClient
from corral.clients.rancher.set_up.faults import told
from corral.clients.rancher.set_up.registry_way import RegistryWay, Wanted
from corral.clients.rancher.set_up.site import Site, read_project
from corral.clients.rancher.vault import Vault
from corral.cluster import EcrRegistry, Environment, PasswordRegistry
from corral.cluster.furnishing_rules import REFRESHER
from corral.domain.set_up.environments import find_project
from corral.domain.set_up.registries import (
    ACTIVE,
    KnownLogin,
    KnownRegistry,
    Login,
    find_login,
    find_registry,
    is_fresh,
    is_same,
    secret_mark,
)
from corral.domain.set_up.stack_requests import is_renewed_by_stack
from corral.domain.set_up.steps import Did, Step
from corral.errors import PrerequisiteError

EcrLogin = Callable[[str], Login]
"""Asks AWS for the log-in of a registry of ECR by its address."""


def ensure_registries(
    site: Site, environments: Sequence[Environment], ecr_login: EcrLogin
) -> Iterator[Step]:
    """See to it that every registry of the cluster file is there, active, with its log-in.

    Those that Rancher's own stack renews are made by that stack.

    Raises:
        AmbiguousError: An address or a log-in is there twice.
        PrerequisiteError: A secret is missing, or holds no username and password.
    """
    for environment in environments:
        for registry in environment.registries:
            if not is_renewed_by_stack(registry):
                yield ensure_registry(site, environment, registry, ecr_login)


def ensure_registry(
    site: Site,
    environment: Environment,
    registry: PasswordRegistry | EcrRegistry,
    ecr_login: EcrLogin,
) -> Step:
    """See to it that one registry is there, active, with its log-in."""
    what = f"registry {registry.address} of environment {environment.name}"
    rancher = site.administrator()
    project_id = read_project(rancher, environment.name).id
    wanted = _wanted(site.vault, registry, ecr_login)
    way = RegistryWay(rancher, project_id, environment.name, registry.address, wanted)
    site.patience.wait(what, way.go_on)
    return Step(what, way.did)


def await_registries(site: Site, environments: Sequence[Environment]) -> Iterator[Step]:
    """Wait until the registries that Rancher's own stack makes are there, with their log-ins.

    Raises:
        GateTimeoutError: One was not there in time.
    """
    rancher = site.administrator()
    for environment in environments:
        project_id = read_project(rancher, environment.name).id
        for registry in filter(is_renewed_by_stack, environment.registries):
            what = f"registry {registry.address} of environment {environment.name}"
            look = partial(_find_lacks, rancher, project_id, environment.name, registry.address)
            site.patience.wait(what, look)
            yield Step(what, Did.KEPT)


def find_registry_faults(
    site: Site, environments: Sequence[Environment], ecr_login: EcrLogin
) -> list[str]:
    """Return a sentence for each registry that cannot be as the cluster file says.

    Nothing is written.
    """
    rancher = site.first_administrator()
    return [
        fault
        for environment in environments
        for fault in told(partial(_find_faults, site.vault, rancher, environment, ecr_login))
    ]


def read_login(vault: Vault, secret: str) -> Login:
    """Return the log-in that a secret holds, marked with the secret's version.

    The version is read first: if the secret changes in between, the next run writes once more.

    Raises:
        PrerequisiteError: The secret is missing, or holds no username and password.
    """
    version, held = vault.version(secret), vault.read(secret)
    if held is None:
        raise PrerequisiteError(
            f"There is no secret {secret} in AWS Secrets Manager: make it, with username and"
            " password of the registry."
        )
    username, password = held.get("username"), held.get("password")
    if not username or not password:
        raise PrerequisiteError(
            f"The secret {secret} holds no username and password of the registry: add both to it."
        )
    return Login(username, SecretStr(password), secret_mark(version))


def _wanted(vault: Vault, registry: PasswordRegistry | EcrRegistry, ecr_login: EcrLogin) -> Wanted:
    if isinstance(registry, EcrRegistry):
        return Wanted(
            is_met_by=lambda known: is_fresh(known, datetime.now(UTC)),
            fetch=lambda: ecr_login(registry.address),
        )
    login = read_login(vault, registry.secret)
    return Wanted(is_met_by=lambda known: is_same(known, login), fetch=lambda: login)


def _find_lacks(
    rancher: RancherClient, project_id: str, environment: str, address: str
) -> list[str]:
    """Return what keeps hosts from pulling from a registry that the stack is to make."""
    registry = find_registry(environment, address, rancher.registries(project_id))
    login = find_login(registry, rancher.logins(project_id)) if registry else None
    if registry and login and registry.state == login.state == ACTIVE:
        return []
    lacking = "the log-in" if registry else "the registry"
    said = f"its stack {REFRESHER} has not made {lacking}: AWS's answer is in its container's log"
    hint = "a container that cannot take its host's role needs the registry's secret"
    return [f"{said}; {hint}, or write refresher: flow"]


def _find_faults(
    vault: Vault, rancher: RancherClient, environment: Environment, ecr_login: EcrLogin
) -> list[str]:
    """Return a sentence for each registry of an environment that cannot be as it shall.

    Raises:
        AmbiguousError: The environment's name is held twice.
    """
    project = find_project(environment.name, rancher.projects())
    known = rancher.registries(project.id) if project else []
    logins = rancher.logins(project.id) if project else []
    faults: list[str] = []
    for registry in environment.registries:
        faults += told(partial(_check_place, environment.name, registry, known, logins))
        faults += told(partial(_check_login, vault, registry, ecr_login))
    return faults


def _check_place(
    environment: str,
    registry: PasswordRegistry | EcrRegistry,
    known: Sequence[KnownRegistry],
    logins: Sequence[KnownLogin],
) -> Sequence[str]:
    """See to it that the address means one registry with one log-in at most."""
    if found := find_registry(environment, registry.address, known):
        find_login(found, logins)
    return ()


def _check_login(
    vault: Vault, registry: PasswordRegistry | EcrRegistry, ecr_login: EcrLogin
) -> Sequence[str]:
    """See to it that there is a log-in to give to Rancher."""
    if isinstance(registry, PasswordRegistry):
        read_login(vault, registry.secret)
    elif not is_renewed_by_stack(registry):
        ecr_login(registry.address)
    return ()
