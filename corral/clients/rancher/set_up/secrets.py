"""Secrets that people make for Rancher: whether they hold what they must, before there is one."""

from collections.abc import Callable, Sequence
from functools import partial

from corral.clients.rancher.set_up.github import read_application
from corral.clients.rancher.set_up.registries import read_login
from corral.clients.rancher.set_up.site import Site
from corral.cluster import Environment, GithubAccess, LocalAccess, PasswordRegistry
from corral.errors import PrerequisiteError


def find_secret_faults(
    site: Site, access: LocalAccess | GithubAccess, environments: Sequence[Environment]
) -> list[str]:
    """Return a sentence for each secret that is missing, or lacks a value; Rancher is not asked.

    Without an OAuth application a Rancher whose people log in with GitHub could not be shut.
    """
    looks: list[Callable[[], object]] = []
    if isinstance(access, GithubAccess):
        looks.append(partial(read_application, site, access))
    looks += [
        partial(read_login, site.vault, registry.secret)
        for environment in environments
        for registry in environment.registries
        if isinstance(registry, PasswordRegistry)
    ]
    return list(dict.fromkeys(fault for look in looks if (fault := _fault(look))))


def _fault(look: Callable[[], object]) -> str:
    try:
        look()
    except PrerequisiteError as error:
        return str(error)
    return ""
