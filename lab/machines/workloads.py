"""Puts Rancher's images on machines: their containers' database, network and neighbours."""

from collections.abc import Mapping
from dataclasses import replace

from lab.machines.docker.daemon import Daemon
from lab.machines.docker.registry import AGENT as AGENT_IMAGE
from lab.machines.docker.registry import SERVER as SERVER_IMAGE
from lab.machines.docker.workload import Say, Spec, Start, Workload
from lab.machines.names import Names
from lab.machines.outside import Aws, MachineFacts
from lab.rancher import AgentContainer, Network, RancherCluster, ServerContainer
from lab.world import World

AGENT = "rancher-agent"
PERMANENT = ("run",)
REGISTER = ("register",)
"""Argument by which a launcher takes the registration URL from its environment.

Source: rancher/rancher v1.6.30, `agent/run.sh`.
"""
FAILED = 1


class DatabaseError(Exception):
    """The server cannot use its database; the text is the driver's."""


class _Server(ServerContainer):
    """A server that ends, as the real one does, when it cannot use its database."""

    async def run(self, say: Say) -> int:
        try:
            return await super().run(say)
        except DatabaseError as error:
            say(f"STARTUP FAILED: {error}")
            return FAILED


class RancherImages:
    """Rancher's two images on the machines of one lab; servers on one database are one cluster."""

    def __init__(self, world: World, aws: Aws, names: Names) -> None:
        self._world = world
        self._aws = aws
        self._databases = names.databases
        self._network = Network(names.locate, names.authority.certificate_path)

    @property
    def clusters(self) -> Mapping[str, RancherCluster]:
        """Return what servers have found in databases so far, by the databases' names."""
        return self._databases.clusters()

    def on(self, machine: MachineFacts, docker: Daemon) -> Mapping[str, Start]:
        """Return what the images do on one machine."""

        def start_server(spec: Spec) -> Workload:
            return _Server(
                self._world,
                machine,
                self.cluster_of,
                spec.environment,
                spec.arguments,
                spec.image.rpartition(":")[2],
            )

        def start_agent(spec: Spec) -> Workload:
            def launch(variables: Mapping[str, str]) -> None:
                permanent = replace(
                    spec, arguments=PERMANENT, environment=variables, restart="always"
                )
                docker.replace(AGENT, permanent)

            arguments = spec.arguments
            if arguments == REGISTER:
                arguments = (spec.environment.get("RANCHER_URL", ""),)
            return AgentContainer(
                self._world, machine, self._network, launch, spec.environment, arguments
            )

        return {SERVER_IMAGE: start_server, AGENT_IMAGE: start_agent}

    def cluster_of(self, environment: Mapping[str, str]) -> RancherCluster:
        """Return what is in the database that a server's variables name.

        Raises:
            DatabaseError: There is none, or it does not know the user.
        """
        host = environment.get("CATTLE_DB_CATTLE_MYSQL_HOST", "")
        database = self._aws.database_by_endpoint(host)
        if database is None or not database.answers:
            raise DatabaseError(f"Could not connect to {host}: Connection refused")
        user = environment.get("CATTLE_DB_CATTLE_USERNAME", "cattle")
        password = environment.get("CATTLE_DB_CATTLE_PASSWORD", "cattle")
        if (user, password) != (database.username, database.password):
            raise DatabaseError(f"Access denied for user '{user}' (using password: YES)")
        name = environment.get("CATTLE_DB_CATTLE_MYSQL_NAME", "cattle")
        if name != database.database_name:
            raise DatabaseError(f"Unknown database '{name}'")
        return self._databases.cluster_of(database)
