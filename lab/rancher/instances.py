"""Containers: what the API does with them, where they are placed, and how they end."""

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lab.rancher import timings
from lab.rancher.bodies import Values
from lab.rancher.call import Call
from lab.rancher.engine import ProcessCancelledError
from lab.rancher.managers import Manager
from lab.rancher.problems import ApiError
from lab.rancher.rendering import Document
from lab.rancher.rows import Host, Instance, Row
from lab.rancher.schema.containers import CONTAINER, INSTANCE
from lab.rancher.states import ACTIVE, DISCONNECTED, GONE, RECONNECTING

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

SYSTEM_LABEL: Final = "io.rancher.container.system"
AGENT_NAME: Final = "rancher-agent"
INFRASTRUCTURE: Final = ("healthcheck-healthcheck", "ipsec-ipsec", "network-services-metadata")
"""Containers of the infrastructure stacks that every host of an environment gets.

rancher-catalog: branch v1.6-release (project template Cattle: healthcheck, ipsec, network-services)
"""
BROKEN: Final = frozenset({"error", "erroring"})


def is_agent(row: Instance) -> bool:
    """Say whether this is the agent's container, which does not count as a system's by its field.

    cattle: InstanceConstants.isRancherAgent
    """
    return row.name == AGENT_NAME and row.labels.get(SYSTEM_LABEL) == AGENT_NAME


class ContainerManager(Manager[Instance]):
    """The containers of the API."""

    def __init__(self) -> None:
        super().__init__(CONTAINER)

    def make(self, call: Call, values: Values) -> Instance:
        """Make a container, to be placed on the host asked for or on any."""
        row = Instance(kind=CONTAINER.name, **values)  # type: ignore[arg-type]
        return self.store_new(call, row)

    def offered(self, call: Call, row: Instance) -> list[str]:
        """Return the actions; of the agent's container none that would end or start it.

        cattle: InstanceOutputFilter.java
        """
        hidden = {"remove", "stop", "start"} if is_agent(row) else frozenset[str]()
        return [name for name in super().offered(call, row) if name not in hidden]

    def delete(self, call: Call, resource_id: str) -> Document:
        """Remove a container, but never the agent's.

        cattle: InstanceValidationFilter.java
        """
        if is_agent(self.find(call, resource_id)):
            raise ApiError(422, "ActionNotAvailable", "Cannot delete rancher-agent")
        return super().delete(call, resource_id)


class InstanceManager(Manager[Instance]):
    """Instances, of which there are containers only."""

    def __init__(self) -> None:
        super().__init__(INSTANCE)

    def document(self, call: Call, row: Instance) -> Document:
        """Return a row as what it is."""
        return call.cluster.managers[CONTAINER.name].document(call, row)


class InstanceProcesses:
    """What happens in the processes of containers, and what hosts bring with them."""

    def __init__(self, cluster: "RancherCluster") -> None:
        self._cluster = cluster
        self._store = cluster.store
        engine = cluster.engine
        engine.handle("instance", "create", self._allocate)
        engine.handle("instance", "start", _run, takes=timings.CONTAINER_START)
        engine.handle("instance", "stop", self._stop, takes=timings.CONTAINER_STOP)
        engine.handle("instance", "remove", self._leave)
        engine.handle("host", "activate", self._furnish)

    def users_on(self, host: Host) -> list[Instance]:
        """Return the containers of a host that an evacuation moves away, until they are gone.

        cattle: ExternalHostEventCreate.deactivateHost, InstanceDaoImpl.getNonRemovedInstanceOn
        """
        return [one for one in self._on(host) if not one.system and not is_agent(one)]

    def evict(self, instances: Iterable[Instance]) -> None:
        """Stop containers and remove them, each in its time; what is on its way goes on.

        cattle: ExternalHostEventCreate.deactivateHost (instance.stop, then instance.remove)
        """
        for one in instances:
            with suppress(ProcessCancelledError):
                self._cluster.engine.start("instance", one, "stop", ("remove",))

    def clear(self, host: Host) -> None:
        """Have all containers of a host removed, the system's too; nobody waits for it.

        cattle: HostRemove.removeInstances
        """
        for one in self._on(host):
            try:
                self._cluster.engine.start("instance", one, "remove")
            except ProcessCancelledError:
                self.evict([one])

    def _on(self, host: Host) -> list[Instance]:
        return [
            one
            for one in self._store.instances.where("host_id", host.id)
            if one.removed is None and one.state not in BROKEN
        ]

    def _allocate(self, row: Row) -> bool:
        """Find a host; without one a service's container is tried again, any other is an error.

        The host with the fewest containers is taken; cattle weighs more than that.
        cattle: AllocatorServiceImpl.java ("No healthy hosts with sufficient resources available")
        """
        one = _instance(row)
        host = self._find_host(one)
        if host is not None:
            self._place(one, host)
        elif one.service_id is None:
            self._cluster.engine.start("instance", one, "error")
        return host is not None

    def _find_host(self, one: Instance) -> Host | None:
        hosts = [
            host
            for host in self._store.hosts.where("account_id", one.account_id)
            if host.state == ACTIVE
            and host.agent_state == ACTIVE
            and one.requested_host_id in (None, host.id)
        ]
        return min(hosts, key=lambda host: (len(host.instance_ids), host.id), default=None)

    def _place(self, one: Instance, host: Host) -> None:
        self._store.instances.change(one, "host_id", host.id)
        host.instance_ids.append(f"{INSTANCE.prefix}{one.id}")
        self._store.changed("host", host)

    def _stop(self, row: Row) -> bool:
        """Have the agent stop a container. One that is known to be lost is not asked.

        cattle: spring-process-context.xml (shortCircuitIfAgentRemoved),
        IgnoreReconnectionAgentHandler.java
        """
        host = self._store.hosts.get(_instance(row).host_id)
        agent = self._store.agents.get(host.agent_id) if host is not None else None
        if agent is None or agent.state in (*GONE, "removing", RECONNECTING, DISCONNECTED):
            return True
        connection = self._cluster.connections.get(agent.id)
        return connection is not None and connection.is_answering

    def _leave(self, row: Row) -> bool:
        """Take a container off its host's list."""
        one = _instance(row)
        host = self._store.hosts.get(one.host_id)
        name = f"{INSTANCE.prefix}{one.id}"
        if host is not None and name in host.instance_ids:
            host.instance_ids.remove(name)
            self._store.changed("host", host)
        return True

    def _furnish(self, row: Row) -> bool:
        """Give a host what runs on every one: Rancher's own containers, and the agent's.

        cattle: ServiceEventCreate and the reconcile of global services upon host.activate
        """
        if not isinstance(row, Host) or self._store.instances.where("host_id", row.id):
            return True
        self._plant(row, AGENT_NAME, {SYSTEM_LABEL: AGENT_NAME}, native=True)
        for stack_service in INFRASTRUCTURE:
            self._plant(row, f"{stack_service}-{row.id}", {SYSTEM_LABEL: "true"}, native=False)
        return True

    def _plant(self, host: Host, name: str, labels: dict[str, str], *, native: bool) -> None:
        one = Instance(
            kind=CONTAINER.name,
            name=name,
            state="running",
            created=time.time(),
            account_id=host.account_id,
            labels=labels,
            native_container=native,
            system=not native,
        )
        self._place(self._store.instances.add(one), host)


def _instance(row: Row) -> Instance:
    if not isinstance(row, Instance):
        raise TypeError(f"{row.kind} is no container")
    return row


def _run(row: Row) -> bool:
    _instance(row).running_since = time.time()
    return True
