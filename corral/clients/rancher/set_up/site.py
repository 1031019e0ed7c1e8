"""One Rancher that is set up: where it is, where its secrets are kept, and how long to wait."""

from dataclasses import dataclass

from corral.clients.rancher.administrator import find_administrator
from corral.clients.rancher.client import RancherClient
from corral.clients.rancher.keys import ACTIVE, Patience
from corral.clients.rancher.vault import Vault, read_admin_key
from corral.domain.set_up.environments import KnownProject, find_project
from corral.errors import RancherGoneError


@dataclass(frozen=True, slots=True)
class Site:
    """What every room of set-up works on.

    `public_url` is where hosts and people reach Rancher, `reached_at` where this process does.
    """

    cluster: str
    vault: Vault
    public_url: str
    reached_at: str
    patience: Patience

    def administrator(self) -> RancherClient:
        """Return a client with the administrator's key; before there is one, as a stranger."""
        return RancherClient(self.reached_at, read_admin_key(self.vault, self.cluster))

    def first_administrator(self) -> RancherClient:
        """Return whoever may speak for an administrator, before access control is on.

        Raises:
            PrerequisiteError: Access control is on, and nothing in the vault opens it.
        """
        return find_administrator(self.reached_at, self.vault, self.cluster)

    def stranger(self) -> RancherClient:
        """Return a client without a key."""
        return RancherClient(self.reached_at)


def read_project(rancher: RancherClient, name: str) -> KnownProject:
    """Return an environment that must be there.

    Raises:
        AmbiguousError: The name is held twice.
        RancherGoneError: It is not there, or not any more.
    """
    project = find_project(name, rancher.projects())
    if project is None:
        raise RancherGoneError(
            f"Rancher has no environment {name}: run configure-rancher, which makes it."
        )
    return project


def find_inactivity(rancher: RancherClient, name: str) -> list[str]:
    """Return what keeps an environment from being active; nothing once it is."""
    state = read_project(rancher, name).state
    return [] if state == ACTIVE else [f"it is {state}"]
