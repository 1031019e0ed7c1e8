"""What the servers of one database share: data, processes, agents' connections, time."""

import pickle
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lab.rancher import seeds, timings
from lab.rancher.accounts import ProjectProcesses, find_environment
from lab.rancher.agents import AgentService, Connection
from lab.rancher.clockwork import Clockwork
from lab.rancher.ecr import EcrRefresher
from lab.rancher.engine import Engine, ProcessCancelledError, ProcessUnknownError
from lab.rancher.herd import SeededHost, seed
from lab.rancher.holds import Holds
from lab.rancher.hosts import HostProcesses
from lab.rancher.instances import InstanceProcesses
from lab.rancher.manager_table import managers_of_types
from lab.rancher.migration import Migration
from lab.rancher.project_templates import ProjectTemplates
from lab.rancher.registration import RegistrationProcesses
from lab.rancher.registries import RegistryProcesses
from lab.rancher.rows import Row
from lab.rancher.services import Services
from lab.rancher.sessions import Sessions
from lab.rancher.settings import Settings
from lab.rancher.stack_health import Health
from lab.rancher.stack_processes import Stacks
from lab.rancher.states import GONE
from lab.rancher.store import Store
from lab.rancher.sweeps import Sweeps
from lab.world import World

if TYPE_CHECKING:
    from lab.rancher.server import RancherServer


class RancherCluster:
    """One database with all that any number of servers know by it.

    Args:
        world: the lab.
        key: the database's name, for people.
        copy: what it begins with, as `copy` of another one returned; empty without.

    """

    def __init__(self, world: World, key: str, copy: bytes = b"") -> None:
        self.world = world
        self.key = key
        self.store, self.sessions = _read(copy) if copy else (Store(), Sessions())
        self.migration = Migration(world, self.store.schema)
        self.clockwork = Clockwork(world)
        self.engine = Engine(self.store, self.clockwork, world.seconds)
        self.engine.remove_delay = self._remove_delay
        self.engine.holds = Holds(world).holds
        self.connections: dict[int, Connection] = {}
        self.agents = AgentService(self)
        self.servers: list[RancherServer] = []
        self.managers = managers_of_types()
        self.instances = InstanceProcesses(self)
        self.services = Services(self)
        self.stacks = Stacks(self, self.services)
        self.health = Health(self)
        self.templates = ProjectTemplates(self)
        self.catalog_loaded = False
        self._up_since: float | None = None
        HostProcesses(self)
        EcrRefresher(self)
        ProjectProcesses(self)
        RegistrationProcesses(self)
        RegistryProcesses(self)
        Sweeps(self)
        if len(self.store.accounts):
            self._go_on()

    def copy(self) -> bytes:
        """Return all that is in the database, as it is now."""
        return pickle.dumps((self.store, self.sessions), pickle.HIGHEST_PROTOCOL)

    def _go_on(self) -> None:
        """Have servers that come go on with what the copied data has begun."""
        self.engine.replay()
        self.services.go_on()
        self.templates.go_on()
        self.catalog_loaded = bool(len(self.store.project_templates))
        if not self.catalog_loaded:
            self.clockwork.after(timings.CATALOG, self._load_catalog)

    def migrated(self) -> None:
        """Fill the new database, once; the catalog follows later."""
        if len(self.store.accounts):
            return
        seeds.plant(self.store)
        self.clockwork.after(timings.CATALOG, self._load_catalog)

    def _load_catalog(self) -> None:
        self.catalog_loaded = True
        self.templates.load()

    def server_up(self, server: "RancherServer") -> None:
        """Go on with what is due, now that a server is up."""
        self.servers.append(server)
        if self._up_since is None:
            self._up_since = time.time()
        self.clockwork.run()

    def server_down(self, server: "RancherServer") -> None:
        """Stand still when the last server is gone."""
        if server in self.servers:
            self.servers.remove(server)
        if not self.servers:
            self._up_since = None
            self.clockwork.pause()

    def up_for(self) -> float:
        """Return since how many seconds, of the lab, some server is up."""
        return time.time() - self._up_since if self._up_since is not None else 0.0

    def settings(self) -> Settings:
        """Return the settings that background work goes by: those of the oldest server."""
        if self.servers:
            return self.servers[0].settings
        return Settings(self.store.settings, {}, "")

    def _remove_delay(self, base: str) -> float:
        """Return the seconds until a removed row may be purged; negative: at random up to.

        cattle: SetRemovedFields.getRemoveTime
        """
        settings = self.settings()
        own = settings.get(f"object.{base}.remove.time.delay.seconds")
        return float(own or settings.get("object.remove.time.delay.seconds"))

    def retire(self, base: str, row: Row) -> None:
        """Take a row out of use and remove it, from whatever state it is in."""
        if row.state in GONE:
            return
        for process, then in (("deactivate", ("remove",)), ("remove", ())):
            try:
                self.engine.start(base, row, process, then)
            except (ProcessCancelledError, ProcessUnknownError):
                continue
            return

    def stored_hosts(self) -> list[dict[str, object]]:
        """Return every host row as it is stored, removed ones too."""
        return [
            {
                "id": f"1h{host.id}",
                "state": host.state,
                "agentState": host.agent_state,
                "labels": host.labels,
                "hostname": host.hostname,
                "agentIpAddress": host.agent_ip_address,
                "accountId": f"1a{host.account_id}",
                "agentId": f"1a{host.agent_id}",
                "uuid": host.uuid,
                "created": host.created,
                "removed": host.removed,
                "removeTime": host.remove_time,
            }
            for host in self.store.hosts
        ]

    def seed_herd(
        self,
        hosts: int,
        phantoms: int = 0,
        environment: str = "Default",
        instances: Iterable[tuple[str, str]] = (),
    ) -> list[SeededHost]:
        """Make many hosts at once, as if they had been there for long.

        Args:
            hosts: how many in all.
            phantoms: how many of these have no machine any more.
            environment: its name or id.
            instances: id and private address of real instances for the first living hosts;
                the others get made-up ones.

        """
        seeded = seed(self, hosts, phantoms, environment, instances)
        self.templates.start_stacks(find_environment(self.store, environment).id)
        return seeded

    def seed_service(self, name: str, scale: int, environment: str) -> None:
        """Make a service at once, whose containers come up on the hosts of an environment.

        Args:
            name: what its containers are called, with a number.
            scale: how many there are.
            environment: its name or id.

        """
        self.services.plant(find_environment(self.store, environment), name, scale)


def _read(copy: bytes) -> tuple[Store, Sessions]:
    store, sessions = pickle.loads(copy)  # noqa: S301 - written by this process
    return store, sessions
