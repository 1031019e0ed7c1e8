"""How healthy services, stacks and environments are at the moment: looked up, never stored."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lab.rancher import timings
from lab.rancher.health import (
    ACTIVE_SERVICE,
    ACTIVE_STACK,
    HEALTHY,
    INITIALIZING,
    UNHEALTHY,
    overall_health,
    service_health,
)
from lab.rancher.rows import Account, Instance, Service, Stack
from lab.rancher.services import RUNNING
from lab.rancher.states import ACTIVE

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster


class Health:
    """Knows the health of what runs in a cluster."""

    def __init__(self, cluster: "RancherCluster") -> None:
        self._cluster = cluster
        self._store = cluster.store

    def of_environment(self, account: Account) -> str:
        """Return the health of an environment: that of its stacks."""
        stacks = self._store.stacks.where("account_id", account.id)
        return overall_health(((one.state, self.of_stack(one)) for one in stacks), ACTIVE_STACK)

    def of_stack(self, stack: Stack) -> str:
        """Return the health of a stack: that of its services."""
        services = self._store.services.where("stack_id", stack.id)
        parts = ((one.state, self.of_service(one)) for one in services)
        return overall_health(parts, ACTIVE_SERVICE)

    def of_service(self, service: Service) -> str:
        """Return the health of a service: that of its containers.

        A global one is healthy as soon as there is a host, whose containers have no rows here.
        """
        if service.is_global:
            return HEALTHY if self.has_hosts(service.account_id) else UNHEALTHY
        running = [self._of_instance(service, one) for one in self._running(service)]
        return service_health(service.scale, running)

    def has_hosts(self, account_id: int | None) -> bool:
        """Say whether an environment has an active host.

        cattle: AllocatorDaoImpl.getActiveHosts
        """
        hosts = self._store.hosts.where("account_id", account_id)
        return any(host.state == ACTIVE and host.agent_state == ACTIVE for host in hosts)

    def _running(self, service: Service) -> Iterable[Instance]:
        instances = self._store.instances.where("service_id", service.id)
        return (
            one
            for one in instances
            if one.state == RUNNING and one.generation == service.generation
        )

    def _of_instance(self, service: Service, one: Instance) -> str:
        """Return the health of a running container; without a check it is healthy.

        A fault with the operation `health check` makes it fail; it is matched with the `name` of
        the container and of its `service`.
        """
        if not service.has_check:
            return HEALTHY
        names = {"name": one.name, "service": service.name}
        if self._cluster.world.faults.take("rancher", "health check", names) is not None:
            return UNHEALTHY
        needed = self._cluster.world.seconds(timings.HEALTH_CHECK)
        checked = time.time() - (one.running_since or 0.0) >= needed
        return HEALTHY if checked else INITIALIZING
