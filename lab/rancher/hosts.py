"""Hosts: what the API does with them and what their processes do."""

import time
from collections.abc import Iterable
from contextlib import suppress
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from lab.rancher import timings
from lab.rancher.call import Call
from lab.rancher.engine import ProcessCancelledError
from lab.rancher.managers import Manager
from lab.rancher.problems import ApiError
from lab.rancher.rendering import Document
from lab.rancher.rows import ExternalEvent, Host, Row
from lab.rancher.schema.containers import INSTANCE
from lab.rancher.schema.hosts import HOST
from lab.rancher.states import ACTIVE, INACTIVE, PURGED, RECONNECTING, shown_host_state

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

COMMANDABLE = frozenset({"activating", ACTIVE, RECONNECTING})
"""Agent states in which commands are tried, and fail when nobody answers.

cattle: AgentLocatorImpl.java
"""


class HostManager(Manager[Host]):
    """The hosts of the API."""

    scheduled = frozenset({"labels", "memory", "milli_cpu", "local_storage_mb"})
    """cattle: schema/base/host.json (scheduleUpdate)"""

    def __init__(self) -> None:
        super().__init__(HOST)

    def candidates(self, call: Call) -> Iterable[Host]:
        """Return all hosts, or those of the caller's environment."""
        hosts = call.cluster.store.hosts
        if call.caller.sees_all:
            return hosts
        return hosts.where("account_id", call.caller.account.id)

    def document(self, call: Call, row: Host) -> Document:
        """Return a host: v2-beta covers its state with its agent's."""
        document = super().document(call, row)
        document["state"] = shown_host_state(call.version, row.state, row.agent_state)
        links = document["links"]
        if isinstance(links, dict):
            links["instances"] = f"{links['self']}/instances"
        return document

    def follow(self, call: Call, resource_id: str, link: str) -> Document:
        """Answer what is on a host, or whatever else its links lead to."""
        instances = call.cluster.managers[INSTANCE.name]
        if link.lower() != INSTANCE.plural:
            return super().follow(call, resource_id, link)
        host = self.find(call, resource_id)
        here = f"{call.urls.resource(self.kind.plural, resource_id)}/{INSTANCE.plural}"
        return instances.listing(call, call.cluster.store.instances.where("host_id", host.id), here)

    def offered(self, call: Call, row: Host) -> list[str]:
        """Return the actions, none for those who may not change hosts.

        cattle: schema/base/host.json (capability modifyInfra)
        """
        return super().offered(call, row) if call.caller.may_change_hosts else []

    def check_change(self, call: Call, row: Host) -> None:
        """Refuse changes by restricted members of the environment."""
        del row
        if not call.caller.may_change_hosts:
            raise ApiError(403)

    def custom(self, call: Call, row: Host, action: str) -> Document | None:
        """Evacuate, or give access to the machine's Docker socket."""
        if action == "evacuate":
            evacuate(call.cluster, row)
            return self.document(call, row)
        if action == "dockersocket":
            socket = call.urls.base.replace("http", "ws", 1) + "/v1/dockersocket/"
            return {
                "type": "hostAccess",
                "links": {},
                "actions": {},
                "token": token_urlsafe(32),
                "url": socket,
            }
        return None


def evacuate(cluster: "RancherCluster", host: Host) -> None:
    """Do what the action evacuate does: it is an event of its own.

    cattle: HostEvacuateActionHandler.java
    """
    event = ExternalEvent(
        kind="externalHostEvent",
        event_type="host.evacuate",
        host_id=host.id,
        account_id=host.account_id,
        created=time.time(),
    )
    cluster.store.external_events.add(event)
    cluster.engine.create("externalEvent", event)


class HostProcesses:
    """What happens in the processes of hosts, beyond the change of state."""

    def __init__(self, cluster: "RancherCluster") -> None:
        self._cluster = cluster
        engine = cluster.engine
        engine.handle("host", "remove", self._remove, takes=timings.REMOVE)
        engine.handle("externalEvent", "create", self._external_event)

    def _remove(self, row: Row) -> bool:
        """Remove what belongs to a host, then its agent with account, keys and register.

        Commands to an agent that nobody hears fail until it counts as disconnected, so removing
        takes longer while it is still reconnecting.
        cattle: HostRemove.java, AgentRemove.java
        """
        host = self._host(row)
        self._cluster.instances.clear(host)
        agent = self._cluster.store.agents.get(host.agent_id)
        if agent is not None and agent.state in COMMANDABLE:
            connection = self._cluster.connections.get(agent.id)
            if connection is None or not connection.is_answering:
                return False
        machine = self._cluster.store.physical_hosts.get(host.physical_host_id)
        if machine is not None:
            self._cluster.retire("physicalHost", machine)
        if agent is not None:
            self._cluster.agents.dismiss(agent)
        return True

    @staticmethod
    def _host(row: Row) -> Host:
        if not isinstance(row, Host):
            raise TypeError(f"{row.kind} is not a host")
        return row

    def _external_event(self, row: Row) -> bool:
        """Evacuate the hosts an event means, and remove and purge them if it says so.

        cattle: ExternalHostEventCreate.java
        """
        if not isinstance(row, ExternalEvent) or row.event_type != "host.evacuate":
            return True
        emptied = [host for host in self._meant(row) if self._empty(host)]
        if row.delete_host:
            emptied = [host for host in emptied if self._end(host)]
        return len(emptied) == len(self._meant(row))

    def _meant(self, event: ExternalEvent) -> list[Host]:
        hosts = self._cluster.store.hosts.where("account_id", event.account_id)
        key, _, value = (event.host_label or "").partition("=")
        return [
            host
            for host in hosts
            if host.id == event.host_id or (key and host.labels.get(key) == value)
        ]

    def _empty(self, host: Host) -> bool:
        """Deactivate a host, move its users' containers away, and say whether that is done.

        A host whose state does not let it be deactivated is left as it is.
        cattle: ExternalHostEventCreate.deactivateHost
        """
        try:
            self._cluster.engine.start("host", host, "deactivate")
        except ProcessCancelledError:
            return True
        if host.state != INACTIVE:
            return False
        users = self._cluster.instances.users_on(host)
        self._cluster.instances.evict(users)
        return not users

    def _end(self, host: Host) -> bool:
        """Remove and purge a host, and say whether that is under way."""
        for process in ("remove", "purge"):
            with suppress(ProcessCancelledError):
                self._cluster.engine.start("host", host, process)
        return host.state in ("purging", PURGED)
