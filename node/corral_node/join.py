"""Makes this machine a container host of its Rancher environment.

The work is one step, taken again and again until the host is active or the deadline has passed:
look at the host's row in Rancher and at the agent's container, then do what is next. So it does
not matter what is there first, Rancher, the secret or the machine, nor how often it is run.
"""

import logging
from enum import Enum, auto
from urllib.parse import urlencode

from corral_node import docker
from corral_node.alerts import Kind, Place, Problem, report, report_all_over
from corral_node.config import JoinConfig
from corral_node.environment import Environment
from corral_node.errors import NodeError, NotYetError
from corral_node.memory import Memory
from corral_node.metadata import Identity, read_identity
from corral_node.rancher import Found, Host, Rancher, Registration
from corral_node.waiting import Deadline, await_success, cut_off

log = logging.getLogger(__name__)

AGENT = "rancher-agent"
LAUNCHER = "corral-join"
DEACTIVATED = frozenset({"deactivating", "inactive"})
PULL_TIMEOUT_S = 300.0
LAUNCH_TIMEOUT_S = 300.0
GRACE_S = 60.0
"""What is under way at the deadline may end by itself until then, and is cut off after it."""


class Step(Enum):
    """What is to be done next."""

    REGISTER = auto()
    START_AGENT = auto()
    ACTIVATE = auto()
    WAIT = auto()
    DONE = auto()


def next_step(
    host: Host | None,
    agent: docker.Container | None,
    *,
    launched: bool = False,
    parked: bool = False,
) -> Step:
    """Return what brings this machine nearer to an active host.

    Args:
        host: Its row in Rancher, or None.
        agent: The agent's container on this machine, or None.
        launched: Whether this run of the program has registered the agent already.
        parked: Whether `leave` took the host out of service for as long as the machine was off.
    """
    if host is None:
        # An agent without a row may hold keys of a row that was removed: only registering helps.
        return Step.WAIT if launched else Step.REGISTER
    if host.state in DEACTIVATED and not parked:
        return Step.DONE  # somebody took it out of service, and that outlives a reboot
    if agent is None:
        return Step.REGISTER
    if not agent.is_running:
        return Step.START_AGENT
    if host.state == "inactive" and host.agent_state == "active":
        return Step.ACTIVATE
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


def join(config: JoinConfig, memory: Memory) -> None:
    """Have this machine active among its environment's hosts, and tell people if it cannot be.

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
    place = Place(config.environment, identity.instance_id)
    joining = _Joining(config, identity, memory, deadline)
    try:
        with cut_off(config.deadline_s + GRACE_S, f"joining {config.environment}"):
            host = joining.await_host()
    except NodeError as error:
        report(Problem(Kind.JOIN, place, str(error)), joining.environment.alerts, memory)
        raise
    text = f"host {host.id} of instance {identity.instance_id} is {host.state}"
    log.info("%s", text)
    memory.unpark()
    report_all_over(place, text, joining.environment.alerts, memory)


def _lacking(found: Found) -> str:
    """Return what is lacking, and what else a person should look at."""
    said = f"its state is {found.host.state}" if found.host else "Rancher does not list it yet"
    return f"{said}; {found.warning}" if found.warning else said


class _Joining:
    """One run's way to an active host."""

    def __init__(
        self, config: JoinConfig, identity: Identity, memory: Memory, deadline: Deadline
    ) -> None:
        self.environment = Environment(config)
        self._config = config
        self._deadline = deadline
        self._identity = identity
        self._parked_host = memory.parked_host
        self._launched = False

    def await_host(self) -> Host:
        """Take one step after the other until the host is active, and return it."""
        config = self._config
        return await_success(
            self.take_step,
            f"host {self._identity.instance_id} to be active in Rancher at {config.rancher_url}",
            deadline=self._deadline,
            advice=(
                f"Look at the environment {config.environment} in Rancher, "
                f"at the secret {config.secret_id}, and at `docker logs {AGENT}` on this machine"
            ),
        )

    def take_step(self) -> Host:
        """Take the next step and return the host if that was the last one."""
        return self.environment.ask(self._advance)

    def _advance(self, rancher: Rancher) -> Host:
        found = rancher.find_host(self._identity.instance_id, self._identity.private_ip)
        host, agent = found.host, docker.find(AGENT)
        parked = host is not None and host.id == self._parked_host
        step = next_step(host, agent, launched=self._launched, parked=parked)
        if host and step is Step.DONE:
            if found.warning:
                log.warning("%s", found.warning)
            return host
        if host and step is Step.ACTIVATE:
            rancher.act(host, "activate")
            log.info(
                "host %s went out of service with its machine: put into service again", host.id
            )
        if step is Step.REGISTER:
            self._register(rancher.registration())
        if agent and step is Step.START_AGENT:
            docker.start(agent)
            log.info("%s was stopped: started again", AGENT)
        raise NotYetError(_lacking(found))

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
