"""Who may speak for an administrator: the key in the vault, or, in a new Rancher, anybody."""

from corral.clients.rancher.client import RancherClient
from corral.clients.rancher.vault import Vault, admin_secret, read_admin_key
from corral.errors import PrerequisiteError


def find_administrator(url: str, vault: Vault, cluster: str, *, attempts: int = 5) -> RancherClient:
    """Return an administrator: with the stored key if it works, else as nobody while that does.

    The vault may hold the key of an earlier Rancher, or one that is not active yet.

    Args:
        url: Where Rancher is reached.
        vault: Where the key is kept.
        cluster: First part of the secret's name.
        attempts: How often a read is tried while nobody answers.

    Raises:
        PrerequisiteError: Access control is on, and nothing in the vault opens it.
    """
    key = read_admin_key(vault, cluster)
    for candidate in [key, None] if key else [None]:
        rancher = RancherClient(url, candidate, attempts=attempts)
        if rancher.is_accepted():
            return rancher
    held = "a key that it does not accept" if key else "no key"
    raise PrerequisiteError(
        f"Rancher at {url} has access control switched on, and the secret {admin_secret(cluster)}"
        f" holds {held}: log in as an administrator, make an account API key, and store it there"
        " as access_key and secret_key."
    )
