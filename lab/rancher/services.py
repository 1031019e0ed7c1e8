"""Services: so many containers of one kind, replaced wherever one goes."""

import itertools
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from lab.rancher import timings
from lab.rancher.rows import Account, Instance, Row, Service
from lab.rancher.schema.containers import CONTAINER, SERVICE
from lab.rancher.states import ACTIVE, GONE

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

LEAVING: Final = frozenset({"removing", "error", "erroring", *GONE})
"""States of containers that do not count for a service's scale any more.

cattle: DeploymentUnit and its DefaultDeploymentUnitInstance.isUnhealthy
"""


class Services:
    """Keeps each service at its scale.

    A container on a lost host counts as long as its row is there: it is replaced when the host is
    removed, and not before (rancher: issues 7007, 8951, 9856).
    """

    def __init__(self, cluster: "RancherCluster") -> None:
        self._cluster = cluster
        self._names = itertools.count(1)
        cluster.store.listen(self._follow)

    def plant(self, account: Account, name: str, scale: int) -> Service:
        """Make a service that is active, and its containers."""
        row = Service(
            kind=SERVICE.name,
            name=name,
            state=ACTIVE,
            created=time.time(),
            account_id=account.id,
            scale=scale,
        )
        self._cluster.store.services.add(row)
        self._keep(row)
        return row

    def _follow(self, base: str, row: Row) -> None:
        if base != "instance" or not isinstance(row, Instance) or row.state not in LEAVING:
            return
        service = self._cluster.store.services.get(row.service_id)
        if service is not None:
            self._cluster.clockwork.after(timings.SERVICE_LOOK, partial(self._keep, service))

    def _keep(self, service: Service) -> None:
        store = self._cluster.store
        instances = store.instances.where("service_id", service.id)
        living = [one for one in instances if one.state not in LEAVING]
        living += [self._add(service) for _ in range(service.scale - len(living))]
        service.instance_ids = [f"{CONTAINER.prefix}{one.id}" for one in living]
        store.changed("service", service)

    def _add(self, service: Service) -> Instance:
        one = Instance(
            kind=CONTAINER.name,
            name=f"{service.name}-{next(self._names)}",
            created=time.time(),
            account_id=service.account_id,
            service_id=service.id,
            labels={"io.rancher.stack_service.name": f"default/{service.name}"},
        )
        self._cluster.store.instances.add(one)
        self._cluster.engine.create("instance", one)
        return one
