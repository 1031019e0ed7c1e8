"""Makes this machine one of the cluster's Rancher servers.

Run again at each boot: a container that is as wanted is left alone, or started; any other is
replaced. Rancher keeps nothing in it.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from corral_node import database, docker
from corral_node.config import Database, ServeConfig
from corral_node.errors import ConfigurationError
from corral_node.metadata import Identity, read_identity
from corral_node.secrets import read_secret
from corral_node.waiting import Deadline, await_success

log = logging.getLogger(__name__)

NAME = "rancher-server"
HTTP_PORT = 8080
CLUSTER_PORT = 9345
DEADLINE_S = 900.0
PULL_TIMEOUT_S = 600.0
RUN_TIMEOUT_S = 120.0
AUTHORITY_INSIDE = "/var/lib/rancher/etc/ssl/ca.crt"
"""Where the server's container wants the certificates of those who sign for its database."""
JDBC_OPTIONS = (
    "useUnicode=true&characterEncoding=UTF-8&characterSetResults=UTF-8"
    "&prepStmtCacheSize=517&cachePrepStmts=true&prepStmtCacheSqlLimit=4096"
    f"&socketTimeout=60000&connectTimeout=60000&sslServerCert={AUTHORITY_INSIDE}&useSSL=true"
)


@dataclass(frozen=True, slots=True)
class Server:
    """The container this machine should run."""

    image: str
    command: tuple[str, ...]
    environment: dict[str, str]

    def equals(self, container: docker.Container) -> bool:
        """Say whether a container was started with this image, command and environment."""
        return (
            container.image == self.image
            and container.command == self.command
            and self.environment.items() <= container.environment.items()
        )


def describe_server(config: ServeConfig, identity: Identity, password: str) -> Server:
    """Return the container that Rancher's manual asks for on each node of a cluster.

    The address is the one the metadata service told: Rancher's own `awslocal` cannot ask a
    metadata service that wants tokens.

    Source: Rancher 1.6 documentation, installing the server, "multi nodes" and "using SSL to
    connect to MySQL"; rancher/rancher v1.6.30, `server/bin/entry`, for the variables behind flags.
    """
    jdbc_url = _jdbc_url(config.database)
    return Server(
        image=config.image,
        command=("--advertise-address", identity.private_ip),
        environment={
            "CATTLE_DB_CATTLE_MYSQL_HOST": config.database.host,
            "CATTLE_DB_CATTLE_MYSQL_PORT": str(config.database.port),
            "CATTLE_DB_CATTLE_MYSQL_NAME": config.database.name,
            "CATTLE_DB_CATTLE_USERNAME": config.database.username,
            "CATTLE_DB_CATTLE_PASSWORD": password,
            "CATTLE_DB_CATTLE_MYSQL_URL": jdbc_url,
            "CATTLE_DB_LIQUIBASE_MYSQL_URL": jdbc_url,
            # The database's certificate bears RDS's name for it, not the one in our zone.
            "CATTLE_DB_CATTLE_GO_PARAMS": "tls=skip-verify",
        },
    )


def _jdbc_url(where: Database) -> str:
    return f"jdbc:mysql://{where.host}:{where.port}/{where.name}?{JDBC_OPTIONS}"


def serve(config: ServeConfig, authority: Path) -> None:
    """Have Rancher's server running on this machine.

    Args:
        config: What user data told.
        authority: Certificates of those who sign for the database, which refuses plain connections.

    Raises:
        ConfigurationError: The certificates are not on this machine.
        DeadlineError: Metadata, secret, database or image did not come in time.
        NodeError: Docker is missing, or the database is none that Rancher can use.
    """
    if not authority.is_file():
        raise ConfigurationError(
            f"{authority} is missing, and the database refuses connections without TLS. "
            "Put AWS's certificate bundle for RDS there when the image is made"
        )
    deadline = Deadline.after(DEADLINE_S)
    identity = _await_identity(deadline)
    server = describe_server(config, identity, _await_password(config, deadline))
    existing = docker.find(NAME)
    as_wanted = existing is not None and server.equals(existing)
    if existing and as_wanted and existing.is_running:
        log.info("%s runs already, as it should: left alone", NAME)
        return
    _await_database(config, deadline)
    if existing and as_wanted:
        docker.start(existing)
        log.info("%s was stopped: started again", NAME)
        return
    _await_image(server.image, deadline)
    if existing:
        log.info("%s is not what it should be (image, address or database): replaced", NAME)
        docker.remove(existing)
    _run(server, authority)
    log.info("%s started from %s, known as %s", NAME, server.image, identity.private_ip)


def _await_identity(deadline: Deadline) -> Identity:
    return await_success(
        read_identity,
        "this machine's identity",
        deadline=deadline,
        advice="Look at the launch template's metadata options",
    )


def _await_password(config: ServeConfig, deadline: Deadline) -> str:
    secret_id = config.database.secret_id
    secret = await_success(
        lambda: read_secret(config.region, secret_id, ("password",)),
        f"the secret {secret_id}",
        deadline=deadline,
        advice="Look at the database stack, and at the role of this machine's profile",
    )
    return secret["password"]


def _await_database(config: ServeConfig, deadline: Deadline) -> None:
    host, port = config.database.host, config.database.port
    version = await_success(
        lambda: database.read_version(host, port),
        f"the database {host}:{port}",
        deadline=deadline,
        advice="Look at the database's state in RDS, its security group and its DNS name",
        interval_s=database.INTERVAL_S,
    )
    log.info("the database %s:%d answers as MySQL %s", host, port, version)


def _await_image(image: str, deadline: Deadline) -> None:
    await_success(
        lambda: docker.pull_if_missing(image, deadline.at_most(PULL_TIMEOUT_S)),
        f"the image {image}",
        deadline=deadline,
        advice="Look at the image's name, and at this machine's way to its registry",
    )


def _run(server: Server, authority: Path) -> None:
    arguments = ["--detach", "--restart=unless-stopped", "--name", NAME]
    for port in (HTTP_PORT, CLUSTER_PORT):
        arguments += ["--publish", f"{port}:{port}"]
    arguments += ["--volume", f"{authority}:{AUTHORITY_INSIDE}:ro"]
    docker.run([*arguments, server.image, *server.command], server.environment, RUN_TIMEOUT_S)
