"""The server's side of agents: pings, lost and found agents, and the hosts they report."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from lab.rancher import timings
from lab.rancher.rows import Agent, Host, PhysicalHost, Row
from lab.rancher.settings import Settings
from lab.rancher.states import ACTIVE, DISCONNECTED, GONE, INACTIVE, RECONNECTING

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

MISSES_UNTIL_LOST = timings.BAD_PINGS + int(timings.PING_TIMEOUT / timings.PING) - 1
"""Silent rounds after which the sixth ping has failed: each fails after its time-out."""

UPDATABLE = ("hostname", "info")
"""What later pings may change; given labels are taken over when the row is made, and only then.

cattle: AgentResourcesMonitor.java (UPDATABLE_HOST_FIELDS, createLabels)
"""


class Connection(Protocol):
    """The way to one agent."""

    @property
    def is_answering(self) -> bool:
        """Say whether the agent would carry out a command now."""

    def take_answer(self) -> bool:
        """Say whether the last ping was answered, and forget the answer."""

    def ping(self, *, resources: bool) -> None:
        """Ask the agent whether it lives, and for what its machine has."""

    def close(self) -> None:
        """Hang up."""


class AgentService:
    """Keeps the agents' states true."""

    def __init__(self, cluster: "RancherCluster") -> None:
        self._cluster = cluster
        self._store = cluster.store
        cluster.store.listen(self._follow)
        cluster.clockwork.every(timings.PING, self._ping_all)

    def connect(self, agent: Agent, connection: Connection) -> None:
        """Take an agent's connection, in place of an older one.

        cattle: AgentActivate.java (first ping asks for resources), agent.reconnect
        """
        before = self._cluster.connections.get(agent.id)
        self._cluster.connections[agent.id] = connection
        if before is not None and before is not connection:
            before.close()
        agent.missed_pings = 0
        connection.ping(resources=True)

    def disconnect(self, agent: Agent, connection: Connection) -> None:
        """Forget a connection that ended."""
        if self._cluster.connections.get(agent.id) is connection:
            del self._cluster.connections[agent.id]

    def _ping_all(self) -> None:
        """Ping each agent.

        cattle: PingMonitorImpl.java
        """
        for agent in self._store.agents:
            if agent.state not in GONE and agent.state != INACTIVE:
                self._ping(agent)

    def _ping(self, agent: Agent) -> None:
        connection = self._cluster.connections.get(agent.id)
        if connection is not None and connection.take_answer():
            agent.missed_pings = 0
            self._heard(agent)
        else:
            agent.missed_pings += 1
            self._missed(agent)
        agent.pings += 1
        if connection is not None:
            connection.ping(resources=agent.pings % timings.RESOURCES_EVERY == 0)

    def _heard(self, agent: Agent) -> None:
        """Take an agent back that was lost, to the same row.

        cattle: spring-process-context.xml (agent.reconnect, agent.finishreconnect)
        """
        if agent.state == DISCONNECTED:
            self._cluster.engine.enter("agent", agent, "reconnect")
            agent.reconnecting_since = time.time()
        elif agent.state == RECONNECTING:
            self._cluster.engine.start("agent", agent, "finishreconnect")

    def _missed(self, agent: Agent) -> None:
        """Give an agent up, in two steps.

        cattle: PingMonitorImpl.pingFailure, AgentActivate.checkDisconnect
        """
        if agent.state == ACTIVE and agent.missed_pings >= MISSES_UNTIL_LOST:
            self._cluster.engine.enter("agent", agent, "reconnect")
            agent.reconnecting_since = time.time()
        elif agent.state == RECONNECTING:
            delay = self._cluster.settings().number("agent.disconnect.after.seconds")
            patience = self._cluster.world.seconds(delay)
            if time.time() - (agent.reconnecting_since or 0.0) >= patience:
                self._cluster.engine.start("agent", agent, "disconnect")

    def _follow(self, base: str, row: Row) -> None:
        """Show an agent's state at its hosts, and note when these may be removed.

        cattle: AgentHostStateUpdate.java
        """
        if base != "agent" or not isinstance(row, Agent):
            return
        for host in self._store.hosts.where("agent_id", row.id):
            if host.agent_state != row.state:
                host.agent_state = row.state
                host.remove_after = self._remove_after(host, self._cluster.settings())
                self._store.changed("host", host)

    def _remove_after(self, host: Host, settings: Settings) -> float | None:
        environment = self._store.accounts.get(host.account_id)
        own = environment.host_remove_delay_seconds if environment is not None else None
        delay = settings.number("host.remove.delay.seconds") if own is None else float(own)
        return time.time() + self._cluster.world.seconds(delay) if delay >= 0 else None

    def dismiss(self, agent: Agent) -> None:
        """Remove an agent with its account, keys and register, and hang up on it.

        cattle: AgentRemove.java
        """
        self._cluster.retire("agent", agent)
        for key in self._store.credentials.where("account_id", agent.account_id):
            self._cluster.retire("credential", key)
        account = self._store.accounts.get(agent.account_id)
        if account is not None:
            self._cluster.retire("account", account)
        register = self._store.registers.get(agent.register_id)
        if register is not None:
            self._cluster.retire("genericObject", register)
        connection = self._cluster.connections.pop(agent.id, None)
        if connection is not None:
            connection.close()

    def report(self, agent: Agent, resources: Mapping[str, object]) -> None:
        """Make the host that an agent reports, or bring it up to date.

        Identity is the UUID on the machine's disk, for one agent.
        cattle: AgentResourcesMonitor.setHosts
        """
        uuid = str(resources.get("uuid", ""))
        known = [
            host
            for host in self._store.hosts.where("agent_id", agent.id)
            if host.reported_uuid == uuid and host.state not in GONE
        ]
        if known:
            self._bring_up_to_date(known[0], resources)
        elif agent.state not in GONE:
            self._make_host(agent, uuid, resources)

    def _bring_up_to_date(self, host: Host, resources: Mapping[str, object]) -> None:
        host.labels = {**host.labels, **_texts(resources.get("labels"))}
        for name in UPDATABLE:
            if resources.get(name):
                setattr(host, name, resources[name])
        if resources.get("agentIp"):
            host.agent_ip_address = str(resources["agentIp"])
        self._store.changed("host", host)

    def _make_host(self, agent: Agent, uuid: str, resources: Mapping[str, object]) -> None:
        now = time.time()
        machine = PhysicalHost(kind="physicalHost", agent_id=agent.id, created=now)
        machine.account_id = agent.resources_account_id
        machine.external_id = str(resources.get("physicalHostUuid", ""))
        self._store.physical_hosts.add(machine)
        host = Host(
            kind="docker",
            created=now,
            account_id=agent.resources_account_id,
            agent_id=agent.id,
            agent_state=agent.state,
            physical_host_id=machine.id,
            reported_uuid=uuid,
            hostname=str(resources.get("hostname", "")),
            agent_ip_address=str(resources.get("agentIp", "")) or None,
            labels={**_texts(resources.get("labels")), **_texts(resources.get("createLabels"))},
        )
        for name in ("info", "memory", "milli_cpu", "local_storage_mb"):
            setattr(host, name, resources.get(name))
        self._store.hosts.add(host)
        self._cluster.engine.create("physicalHost", machine)
        self._cluster.engine.create("host", host)


def _texts(value: object) -> dict[str, str]:
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, dict) else {}
