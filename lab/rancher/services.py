"""Services: so many containers of one kind, replaced wherever one goes, upgraded side by side."""

import itertools
import time
from collections.abc import Iterable
from contextlib import suppress
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Final

from lab.rancher import timings
from lab.rancher.compose import ServicePlan
from lab.rancher.engine import ProcessCancelledError
from lab.rancher.health import ACTIVE_SERVICE
from lab.rancher.rows import Account, Instance, Row, Service, Stack
from lab.rancher.schema.containers import CONTAINER, SERVICE
from lab.rancher.states import ACTIVE, GONE

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

LEAVING: Final = frozenset({"removing", "error", "erroring", *GONE})
"""States of containers that do not count for a service's scale any more.

cattle: DeploymentUnit and its DefaultDeploymentUnitInstance.isUnhealthy
"""
RUNNING: Final = "running"


class Services:
    """Keeps each service at its scale.

    A container on a lost host counts as long as its row is there: it is replaced when the host is
    removed, and not before (rancher: issues 7007, 8951, 9856). Containers of global services have
    no rows here, since hosts come with them (`instances.py`).
    """

    def __init__(self, cluster: "RancherCluster") -> None:
        self._cluster = cluster
        self._names = itertools.count(len(cluster.store.instances) + 1)
        cluster.store.listen(self._follow)
        engine = cluster.engine
        engine.handle("service", "activate", self._run)
        engine.handle("service", "upgrade", self._run)
        engine.handle("service", "rollback", self._run_again)
        engine.handle("service", "finishupgrade", self._finish)
        engine.handle("service", "deactivate", self._stop)
        engine.handle("service", "remove", self._remove)

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

    def create(self, stack: Stack, plan: ServicePlan) -> Service:
        """Make a service of a stack; it becomes inactive, and waits to be told."""
        row = Service(
            kind=SERVICE.name,
            name=plan.name,
            created=time.time(),
            account_id=stack.account_id,
            stack_id=stack.id,
            stack_name=stack.name or "",
            system=stack.system,
        )
        _take(row, plan)
        self._cluster.store.services.add(row)
        self._cluster.engine.create("service", row)
        return row

    def upgrade(self, row: Service, plan: ServicePlan) -> None:
        """Give a service other containers; those it has stop, and stay for a way back.

        cattle: InServiceUpgradeStrategy (stop first)
        """
        row.previous = copy(row)
        _take(row, plan)
        row.generation += 1
        self._each(self._living(row, row.generation - 1), "stop")
        self._start(row, "upgrade")

    def roll_back(self, row: Service) -> None:
        """Give a service the containers back that it had before its upgrade."""
        before = row.previous
        if before is None:
            return
        self._cluster.instances.evict(self._living(row, row.generation))
        row.launch_config, row.scale = before.launch_config, before.scale
        row.is_global, row.has_check = before.is_global, before.has_check
        row.generation, row.previous = before.generation, None
        self._start(row, "rollback")

    def _follow(self, base: str, row: Row) -> None:
        if base != "instance" or not isinstance(row, Instance) or row.state not in LEAVING:
            return
        service = self._cluster.store.services.get(row.service_id)
        if service is not None and service.state in ACTIVE_SERVICE:
            self._cluster.clockwork.after(timings.SERVICE_LOOK, partial(self._refill, service))

    def go_on(self) -> None:
        """Look whether the services have what they need, as after containers that left."""
        for service in self._cluster.store.services:
            self._cluster.clockwork.after(timings.SERVICE_LOOK, partial(self._refill, service))

    def _refill(self, service: Service) -> None:
        self._keep(service)

    def _living(self, service: Service, generation: int) -> list[Instance]:
        return [
            one
            for one in self._cluster.store.instances.where("service_id", service.id)
            if one.state not in LEAVING and one.generation == generation
        ]

    def _keep(self, service: Service) -> list[Instance]:
        """Make the containers that a service lacks, and return all it has."""
        if service.state not in ACTIVE_SERVICE:
            return []
        living = self._living(service, service.generation)
        wanted = 0 if service.is_global else service.scale
        living += [self._add(service) for _ in range(wanted - len(living))]
        service.instance_ids = [f"{CONTAINER.prefix}{one.id}" for one in living]
        self._cluster.store.changed("service", service)
        return living

    def _add(self, service: Service) -> Instance:
        number = next(self._names)
        planted = service.stack_id is None
        one = Instance(
            kind=CONTAINER.name,
            name=f"{service.name}-{number}" if planted else _container_name(service, number),
            created=time.time(),
            account_id=service.account_id,
            service_id=service.id,
            image_uuid=str(service.launch_config.get("imageUuid", "")) or None,
            generation=service.generation,
            system=service.system,
            labels={"io.rancher.stack_service.name": f"{service.stack_name}/{service.name}"},
        )
        self._cluster.store.instances.add(one)
        self._cluster.engine.create("instance", one)
        return one

    def _run(self, row: Row) -> bool | None:
        """Wait until all containers run; without a host they do not.

        cattle: ServiceActivate, ServiceUpgrade (the process waits for the deployment)
        """
        living = self._keep(_service(row))
        return True if all(one.state == RUNNING for one in living) else None

    def _run_again(self, row: Row) -> bool | None:
        """Start the containers that an upgrade stopped, and wait until they run.

        An upgrade does not wait for what it stops, so some may only stop now, and start later.
        """
        service = _service(row)
        self._each(self._living(service, service.generation), "start")
        return self._run(service)

    def _finish(self, row: Row) -> bool:
        service = _service(row)
        self._cluster.instances.evict(self._living(service, service.generation - 1))
        service.previous = None
        return True

    def _stop(self, row: Row) -> bool:
        service = _service(row)
        self._each(self._living(service, service.generation), "stop")
        return True

    def _remove(self, row: Row) -> bool:
        """Have the containers removed, those of an unfinished upgrade too; nobody waits for it."""
        living = self._cluster.store.instances.where("service_id", row.id)
        self._cluster.instances.evict(one for one in living if one.state not in LEAVING)
        return True

    def _each(self, instances: Iterable[Instance], process: str) -> None:
        for one in instances:
            with suppress(ProcessCancelledError):
                self._cluster.engine.start("instance", one, process)

    def _start(self, row: Service, process: str) -> None:
        with suppress(ProcessCancelledError):
            self._cluster.engine.start("service", row, process)


def differs(row: Service, plan: ServicePlan) -> bool:
    """Say whether the files want a service otherwise than it is."""
    return (row.launch_config, row.scale) != (plan.launch_config, plan.scale)


def _take(row: Service, plan: ServicePlan) -> None:
    row.launch_config, row.scale = plan.launch_config, plan.scale
    row.is_global, row.has_check = plan.is_global, plan.has_check


def _container_name(service: Service, number: int) -> str:
    """Return a name such as `ecr-ecr-updater-1`.

    cattle: ServiceUtil.generateServiceInstanceName
    """
    return f"{service.stack_name}-{service.name}-{number}"


def _service(row: Row) -> Service:
    if not isinstance(row, Service):
        raise TypeError(f"{row.kind} is no service")
    return row
