"""Registries of images, and the names and passwords that hosts log in there with."""

from typing import TYPE_CHECKING

from lab.rancher.bodies import Values
from lab.rancher.call import Call
from lab.rancher.managers import Manager
from lab.rancher.problems import ApiError, invalid
from lab.rancher.rendering import Document
from lab.rancher.rows import Credential, Row, StoragePool
from lab.rancher.schema.registries import REGISTRY, REGISTRY_CREDENTIAL

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster
    from lab.rancher.store import Store


def living_registries(store: "Store", account_id: int) -> list[StoragePool]:
    """Return the registries of an environment, but for those whose removal is complete."""
    return [
        row for row in store.storage_pools.where("account_id", account_id) if row.removed is None
    ]


class RegistryManager(Manager[StoragePool]):
    """Registries: one for each address in an environment."""

    def __init__(self) -> None:
        super().__init__(REGISTRY)

    def make(self, call: Call, values: Values) -> StoragePool:
        """Make a registry, unless its address is taken: without regard to case.

        An address is free again as soon as the one that had it is removed; the purge need not be
        awaited.
        cattle: RegistryServerAddressFilter.java
        """
        address = str(values["server_address"])
        if not address:
            raise invalid("MinLengthExceeded", "serverAddress")
        taken = living_registries(call.cluster.store, call.caller.account.id)
        if any(row.server_address.casefold() == address.casefold() for row in taken):
            raise ApiError(400, "ServerAddressUsed")
        return self.store_new(call, StoragePool(kind=REGISTRY.name, **values))  # type: ignore[arg-type]


class RegistryCredentialManager(Manager[Credential]):
    """Logins; a password is in no answer but that to the POST which brought it.

    cattle: WrappedResource.java (a field with the right "o"), test_private_repos.py
    """

    def __init__(self) -> None:
        super().__init__(REGISTRY_CREDENTIAL)

    def document(self, call: Call, row: Credential) -> Document:
        """Return a login without its password."""
        return {**super().document(call, row), "secretValue": None}

    def create(self, call: Call) -> tuple[int, Document]:
        """Make a login and show its password, this once."""
        status, document = super().create(call)
        return status, {**document, "secretValue": call.body.get("secretValue")}

    def make(self, call: Call, values: Values) -> Credential:
        """Make a login. A registry of another environment is as good as none."""
        registries = call.cluster.managers[REGISTRY.name]
        registry = call.cluster.store.storage_pools.get(values["registry_id"])  # type: ignore[arg-type]
        if registry is None or not registries.is_visible(call, registry):
            raise invalid("InvalidReference", "registryId")
        row = Credential(kind=REGISTRY_CREDENTIAL.name, **values)  # type: ignore[arg-type]
        return self.store_new(call, row)


class RegistryProcesses:
    """What happens to logins when their registry goes."""

    def __init__(self, cluster: "RancherCluster") -> None:
        self._cluster = cluster
        cluster.engine.handle("storagePool", "purge", self._purge)

    def _purge(self, row: Row) -> bool:
        """Remove the logins of a purged registry, and not before.

        cattle: StoragePoolPurge.java, test_private_repos.py
        (test_deleting_registry_deletes_credentials)
        """
        for credential in self._cluster.store.credentials.where("registry_id", row.id):
            self._cluster.retire("credential", credential)
        return True
