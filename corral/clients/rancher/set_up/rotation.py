"""The rotation of what set-up has made: the administrator's key, and those of environments."""

from corral.clients.rancher.keys import KeyHome, rotate_key
from corral.clients.rancher.set_up.site import Site
from corral.clients.rancher.vault import AdminSecret, HostsSecret, S, admin_secret, read_secret
from corral.cluster import Environment
from corral.domain.set_up.environments import find_project
from corral.domain.set_up.keys import KeyPair
from corral.domain.set_up.rotation import (
    ADMINISTRATOR,
    Fate,
    KeyFate,
    RotationRule,
    whose_key,
)
from corral.domain.stacks import environment_secret


def rotate_admin_key(site: Site, rule: RotationRule) -> tuple[KeyFate, ...]:
    """Replace the administrator's key if it is due; whoever asks next asks with the new one.

    Raises:
        PrerequisiteError: Nothing in the vault opens Rancher.
    """
    rancher = site.first_administrator()
    home = _home(site, admin_secret(site.cluster), AdminSecret, rancher.admin_account_id())
    return rotate_key(rancher, ADMINISTRATOR, home, site.patience, rule)


def rotate_environment_key(
    site: Site, environment: Environment, rule: RotationRule
) -> tuple[KeyFate, ...]:
    """Replace the key with which hosts join an environment, if it is due.

    An environment without a key is left to set-up, and so is a key of an earlier environment.
    """
    rancher, whose = site.administrator(), whose_key(environment.name)
    path = environment_secret(site.cluster, environment.name)
    project = find_project(environment.name, rancher.projects())
    secret = read_secret(site.vault, path, HostsSecret)
    if project is None or secret.pair is None or secret.project_id != project.id:
        return (KeyFate(whose, Fate.MISSING),)
    home = _home(site, path, HostsSecret, project.id)
    return rotate_key(rancher, whose, home, site.patience, rule)


def _home(site: Site, path: str, kind: type[S], account_id: str) -> KeyHome:
    """Return where a key is kept, beside what else its secret holds when a new one is stored."""

    def store(pair: KeyPair) -> None:
        held = read_secret(site.vault, path, kind)
        fresh = held.model_copy(
            update={"access_key": pair.access_key, "secret_key": pair.secret_key}
        )
        site.vault.write(path, fresh.model_dump(exclude_defaults=True))

    return KeyHome(account_id, path, read_secret(site.vault, path, kind).pair, store)
