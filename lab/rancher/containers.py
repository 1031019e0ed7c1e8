"""Rancher's images: what a container of each does on a machine that runs it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from lab.rancher.agent import Agent
from lab.rancher.cluster import RancherCluster
from lab.rancher.launcher import Launcher, RegistrationError
from lab.rancher.machine import MachineFacts, Network
from lab.rancher.server import RancherServer
from lab.world import World

HTTP_PORT: Final = 8080
LAST_RELEASE: Final = "v1.6.30"
MOVING_TAGS: Final = frozenset({"stable", "latest"})
"""Tags that stand for whatever release is the last."""
FAILED: Final = 1
PERMANENT: Final = "run"
"""The argument by which a launcher starts the permanent agent.

rancher: agent/run.sh
"""

Say = Callable[[str], None]
ClusterOf = Callable[[Mapping[str, str]], RancherCluster]
"""Finds the database that the variables of a server name."""


class ServerContainer:
    """A container of rancher/server.

    rancher: server/bin/entry

    Args:
        world: the lab.
        machine: where it runs.
        cluster_of: finds its database.
        environment: its variables.
        arguments: what stands after the image's name.
        version: the image's tag.

    """

    def __init__(
        self,
        world: World,
        machine: MachineFacts,
        cluster_of: ClusterOf,
        environment: Mapping[str, str],
        arguments: Sequence[str],
        version: str = LAST_RELEASE,
    ) -> None:
        self._world = world
        self._machine = machine
        self._cluster_of = cluster_of
        self._flags = dict(zip(arguments[::2], arguments[1::2], strict=False))
        self._environment = environment
        self._version = LAST_RELEASE if version in MOVING_TAGS else version
        self._server: RancherServer | None = None

    async def run(self, say: Say) -> int:
        """Run the server until it ends by itself and return its exit code."""
        advertise = self._flags.get(
            "--advertise-address", self._environment.get("CATTLE_CLUSTER_ADVERTISE_ADDRESS")
        )
        self._server = RancherServer(
            self._cluster_of(self._environment),
            self._world.addresses.of(self._machine.private_ip, HTTP_PORT),
            advertise,
            int(self._flags.get("--advertise-http-port", HTTP_PORT)),
            self._version,
            self._environment,
            say,
        )
        await self._server.start()
        return await self._server.wait_exit()

    async def end(self, *, orderly: bool) -> None:
        """Stop the server. It says farewell to nobody, however it ends."""
        del orderly
        if self._server is not None:
            await self._server.stop()


class AgentContainer:
    """A container of rancher/agent: with a URL the launcher, with `run` the permanent agent.

    Args:
        world: the lab.
        machine: where it runs.
        network: the machine's.
        launch: starts the permanent container, named rancher-agent and restarted always, with
            these variables, in place of an older one.
        environment: its variables.
        arguments: what stands after the image's name.

    """

    def __init__(
        self,
        world: World,
        machine: MachineFacts,
        network: Network,
        launch: Callable[[Mapping[str, str]], None],
        environment: Mapping[str, str],
        arguments: Sequence[str],
    ) -> None:
        self._world = world
        self._machine = machine
        self._network = network
        self._launch = launch
        self._environment = environment
        self._arguments = arguments
        self._agent: Agent | None = None

    def partition(self, seconds: float) -> None:
        """Silence the agent for some real seconds."""
        if self._agent is not None:
            self._agent.partition(seconds)

    async def run(self, say: Say) -> int:
        """Run until it ends by itself and return the exit code; the permanent one never does."""
        if list(self._arguments) != [PERMANENT]:
            return await self._register(say)
        self._agent = Agent(self._world, self._machine, self._environment, self._network, say)
        await self._agent.run()
        return FAILED

    async def _register(self, say: Say) -> int:
        url = self._arguments[-1] if self._arguments else ""
        launcher = Launcher(self._world, self._machine, self._environment, url, self._network)
        try:
            variables = await launcher.register()
        except RegistrationError as error:
            say(f"ERROR: {error}")
            return FAILED
        self._launch(variables)
        say("INFO: Launched Rancher Agent")
        return 0

    async def end(self, *, orderly: bool) -> None:
        """End. Who runs it has cancelled it already, and the server is told nothing."""
        del orderly
