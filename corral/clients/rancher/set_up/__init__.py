"""Set-up of a new Rancher through its API; each step is looked up before it is made.

A run may die between any two calls: what it left half-done is found and finished by the next one.
An unchanged Rancher is only read. Secrets go into the vault before anything depends on them, and
nowhere else. One room for each thing that is set up.
"""

from corral.clients.rancher.set_up.access import (
    admit,
    ensure_access,
    ensure_admin_key,
    ensure_local_access,
    find_access_faults,
    find_code_request,
)
from corral.clients.rancher.set_up.catalog_stacks import ensure_stacks, find_stack_faults
from corral.clients.rancher.set_up.environments import (
    ensure_environments,
    find_environment_faults,
)
from corral.clients.rancher.set_up.github import CodeRequest
from corral.clients.rancher.set_up.infrastructure import find_dead_ends, upgrade_infrastructure
from corral.clients.rancher.set_up.members import ensure_members
from corral.clients.rancher.set_up.people import people_secret, resolve_identities
from corral.clients.rancher.set_up.registries import (
    await_registries,
    ensure_registries,
    ensure_registry,
    find_registry_faults,
)
from corral.clients.rancher.set_up.rotation import rotate_admin_key, rotate_environment_key
from corral.clients.rancher.set_up.secrets import find_secret_faults
from corral.clients.rancher.set_up.settings import ensure_settings, find_setting_faults
from corral.clients.rancher.set_up.site import Site

__all__ = [
    "CodeRequest",
    "Site",
    "admit",
    "await_registries",
    "ensure_access",
    "ensure_admin_key",
    "ensure_environments",
    "ensure_local_access",
    "ensure_members",
    "ensure_registries",
    "ensure_registry",
    "ensure_settings",
    "ensure_stacks",
    "find_access_faults",
    "find_code_request",
    "find_dead_ends",
    "find_environment_faults",
    "find_registry_faults",
    "find_secret_faults",
    "find_setting_faults",
    "find_stack_faults",
    "people_secret",
    "resolve_identities",
    "rotate_admin_key",
    "rotate_environment_key",
    "upgrade_infrastructure",
]
