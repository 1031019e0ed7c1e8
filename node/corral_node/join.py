"""Makes this machine a container host of its Rancher environment.

The work is one step, taken again and again until the host is active or the deadline has passed:
look at the host's row in Rancher and at the agent's container, then do what is next. So it does
not matter what is there first, Rancher, the secret or the machine, nor how often it is run.
"""

import logging
from enum import Enum, auto
from urllib.parse import urlencode

from corral_node import docker
from corral_node.config import JoinConfig
from corral_node.errors import NotYetError, RefusedError
from corral_node.metadata import Identity, read_identity
from corral_node.rancher import Host, Rancher, Registration
from corral_node.secrets import read_secret
from corral_node.waiting import Deadline, await_success

log = logging.getLogger(__name__)

AGENT = "rancher-agent"
LAUNCHER = "corral-join"
SECRET_KEYS = ("project_id", "access_key", "secret_key")
DEACTIVATED = frozenset({"deactivating", "inactive"})
PULL_TIMEOUT_S = 300.0
LAUNCH_TIMEOUT_S = 300.0


class Step(Enum):
    """What is to be done next."""

    REGISTER = auto()
    START_AGENT = auto()
    WAIT = auto()
    DONE = auto()


def next_step(host: Host | None, agent: docker.Container | None, *, launched: bool) -> Step:
    """Return what brings this machine nearer to an active host.

    Args:
        host: Its row in Rancher, or None.
        agent: The agent's container on this machine, or None.
        launched: Whether this run of the program has registered the agent already.
    """
    if host is None:
        # An agent without a row may hold keys of a row that was removed: only registering helps.
        return Step.WAIT if launched else Step.REGISTER
    if host.state in DEACTIVATED:
        return Step.DONE  # somebody took it out of service, and that outlives a reboot
    if agent is None:
        return Step.REGISTER
    if not agent.is_running:
        return Step.START_AGENT
    return Step.DONE if host.state == "active" else Step.WAIT


def describe_agent(
    config: JoinConfig, identity: Identity, registration: Registration
) -> dict[str, str]:
    """Return the environment of the agent's launcher.

    The address is told, since behind a load balancer Rancher would see the balancer's. Labels
    count only when the host's row is made, so all are there the first time; they are written as
    a URL's query. The registration URL carries a token, so it is no argument: the launcher's
    `register` reads it from RANCHER_URL.

    Source: rancher/rancher v1.6.30, `agent/run.sh`.
    """
    labels = {"env": config.environment, **config.labels, **identity.labels}
    return {
        "CATTLE_AGENT_IP": identity.private_ip,
        "CATTLE_HOST_LABELS": urlencode(sorted(labels.items())),
        # The agent's own look at EC2 knows no tokens and would try for three minutes.
        "CATTLE_DETECT_CLOUD_PROVIDER": "false",
        "RANCHER_URL": registration.url,
    }


def join(config: JoinConfig) -> None:
    """Have this machine active among its environment's hosts.

    Raises:
        DeadlineError: It did not get there in time; the sentence says what was lacking.
        NodeError: Docker is missing.
    """
    deadline = Deadline.after(config.deadline_s)
    identity = await_success(
        read_identity,
        "this machine's identity",
        deadline=deadline,
        advice="Look at the launch template's metadata options",
    )
    joining = _Joining(config, identity, deadline)
    host = await_success(
        joining.take_step,
        f"host {identity.instance_id} to be active in Rancher at {config.rancher_url}",
        deadline=deadline,
        advice=(
            f"Look at the environment {config.environment} in Rancher, "
            f"at the secret {config.secret_id}, and at `docker logs {AGENT}` on this machine"
        ),
    )
    log.info("host %s of instance %s is %s", host.id, identity.instance_id, host.state)


class _Joining:
    """One run's way to an active host; remembers the environment's keys while they are good."""

    def __init__(self, config: JoinConfig, identity: Identity, deadline: Deadline) -> None:
        self._config = config
        self._deadline = deadline
        self._identity = identity
        self._launched = False
        self._known: Rancher | None = None

    def take_step(self) -> Host:
        """Take the next step and return the host if that was the last one."""
        rancher = self._rancher()
        try:
            return self._advance(rancher)
        except RefusedError:
            self._known = None  # the next look reads the secret again: it may hold other keys now
            rancher.close()
            raise

    def _rancher(self) -> Rancher:
        if self._known is None:
            secret = read_secret(self._config.region, self._config.secret_id, SECRET_KEYS)
            self._known = Rancher(self._config.rancher_url, **secret)
        return self._known

    def _advance(self, rancher: Rancher) -> Host:
        host = rancher.find_host(self._identity.instance_id)
        agent = docker.find(AGENT)
        step = next_step(host, agent, launched=self._launched)
        if host and step is Step.DONE:
            return host
        if step is Step.REGISTER:
            self._register(rancher.registration())
        if agent and step is Step.START_AGENT:
            docker.start(agent)
            log.info("%s was stopped: started again", AGENT)
        raise NotYetError(f"its state is {host.state}" if host else "Rancher does not list it yet")

    def _register(self, registration: Registration) -> None:
        docker.pull_if_missing(registration.image, self._deadline.at_most(PULL_TIMEOUT_S))
        left_behind = docker.find(LAUNCHER)
        if left_behind:
            docker.remove(left_behind)
        log.info("registering with %s", registration.image)
        environment = describe_agent(self._config, self._identity, registration)
        arguments = ["--rm", "--privileged", "--name", LAUNCHER]
        for path in ("/var/run/docker.sock", "/var/lib/rancher"):
            arguments += ["--volume", f"{path}:{path}"]
        timeout_s = self._deadline.at_most(LAUNCH_TIMEOUT_S)
        docker.run([*arguments, registration.image, "register"], environment, timeout_s)
        self._launched = True
        log.info("%s is started; its host row comes with its first report", AGENT)
