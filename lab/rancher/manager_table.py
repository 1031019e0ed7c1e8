"""Who answers for which type of the API."""

from collections.abc import Mapping

from lab.rancher.access import LocalAuthManager
from lab.rancher.accounts import AccountManager, ProjectManager
from lab.rancher.auth_identity_api import IdentityManager
from lab.rancher.events import ExternalHostEventManager
from lab.rancher.hosts import HostManager
from lab.rancher.instances import ContainerManager, InstanceManager
from lab.rancher.keys import CredentialManager
from lab.rancher.managers import Manager
from lab.rancher.public import PublicManager
from lab.rancher.registration import RegisterManager, RegistrationTokenManager
from lab.rancher.registries import RegistryCredentialManager, RegistryManager
from lab.rancher.rows import Row
from lab.rancher.schema import TYPES
from lab.rancher.schema.accounts import API_KEY, PASSWORD
from lab.rancher.schema.system import ACTIVE_SETTING, CLUSTER_MEMBERSHIP, SETTING
from lab.rancher.settings_api import SettingManager
from lab.rancher.stacks import ServiceManager, StackManager


def managers_of_types() -> Mapping[str, Manager[Row]]:
    """Return the manager of each type, by name; one without its own is read only."""
    special: list[object] = [
        AccountManager(),
        ContainerManager(),
        CredentialManager(API_KEY),
        CredentialManager(PASSWORD),
        ExternalHostEventManager(),
        HostManager(),
        IdentityManager(),
        InstanceManager(),
        LocalAuthManager(),
        ProjectManager(),
        PublicManager(TYPES["projectTemplate"]),
        PublicManager(CLUSTER_MEMBERSHIP),
        RegisterManager(),
        RegistrationTokenManager(),
        RegistryCredentialManager(),
        RegistryManager(),
        SettingManager(ACTIVE_SETTING),
        ServiceManager(),
        SettingManager(SETTING),
        StackManager(),
    ]
    managers = {kind.name: Manager[Row](kind) for kind in TYPES.values()}
    for manager in special:
        if isinstance(manager, Manager):
            managers[manager.kind.name] = manager
    return managers
