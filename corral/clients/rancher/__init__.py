"""Rancher 1.6, the only place where its vocabulary is spoken."""

from corral.clients.rancher.administrator import find_administrator
from corral.clients.rancher.client import RancherClient
from corral.clients.rancher.keys import Patience
from corral.clients.rancher.removal import Outcome, OutcomeKind, RemovingRancher, remove_host
from corral.clients.rancher.set_up import Site
from corral.clients.rancher.vault import Vault, admin_secret, read_admin_key

__all__ = [
    "Outcome",
    "OutcomeKind",
    "Patience",
    "RancherClient",
    "RemovingRancher",
    "Site",
    "Vault",
    "admin_secret",
    "find_administrator",
    "read_admin_key",
    "remove_host",
]
