"""One look at a cluster from all sides, for tasks that wait: clients are asked, `domain` judges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import boto3

from corral.clients.aws import (
    SecretVault,
    TargetHealth,
    find_group,
    newest_launch_failure,
    read_group,
    target_health,
)
from corral.clients.rancher import RancherClient, find_administrator
from corral.cluster import ClusterSpec
from corral.domain.gate import (
    NO_CONNECTION,
    GateFailure,
    GateReading,
    GateRule,
    Node,
    find_obstacles,
    judge_gate,
)
from corral.domain.hosts import Host, PoolWish, find_shortfalls
from corral.domain.stacks import ControlPlaneOutputs
from corral.errors import PrerequisiteError, RancherError
from tasks import connect

LEAVING = "Terminating"


def vault(spec: ClusterSpec, session: boto3.Session) -> SecretVault:
    """Return the place of the cluster's secrets."""
    return SecretVault(session, {"Cluster": spec.name, "ManagedBy": "corral"})


def rancher_url(spec: ClusterSpec) -> str:
    """Return where this process reaches the cluster's Rancher."""
    return connect.settings().rancher_url or spec.url


def administrator(spec: ClusterSpec, session: boto3.Session, *, attempts: int = 5) -> RancherClient:
    """Return a client that may do everything in the cluster's Rancher."""
    secrets = vault(spec, session)
    return find_administrator(rancher_url(spec), secrets, spec.name, attempts=attempts)


def check_living_cluster(spec: ClusterSpec, session: boto3.Session) -> None:
    """See to it that a cluster's servers, if there are any, can become what its file says.

    Raises:
        PrerequisiteError: The file wants fewer of them, or another version.
    """
    group = find_group(session, f"{spec.name}-control")
    if group is None or group.desired == 0:
        return
    obstacles = find_obstacles(
        group.name,
        size=max(group.minimum, group.desired),
        wanted=spec.control.count,
        running=RancherClient(rancher_url(spec), attempts=1).version(),
        version=spec.rancher.version,
    )
    if found := " ".join(obstacles):
        raise PrerequisiteError(found)


@dataclass(slots=True)
class GateProbe:
    """Looks at the servers and says what keeps their gate shut, and since when."""

    session: boto3.Session
    spec: ClusterSpec
    control: ControlPlaneOutputs
    size: int
    failures: Sequence[GateFailure] = ()
    """What the last look found."""
    reached: bool = False
    """Whether anybody has ever answered at the cluster's address."""
    spared: frozenset[str] = frozenset()
    """Instances of which nothing is asked, since they are about to go."""

    def __call__(self) -> list[str]:
        """Return one sentence for each check that fails."""
        rule = GateRule(self.size, self.spec.rancher.version, self.spared)
        self.failures = judge_gate(self._read(), rule, self.failures, datetime.now(UTC))
        return [str(failure) for failure in self.failures]

    def _read(self) -> GateReading:
        group = self.control.group_name
        rancher, refusal = self._rancher()
        targets = target_health(self.session, self.control.target_group_arn)
        nodes, ping = _nodes(self.session, group), rancher.ping()
        self.reached = self.reached or not ping.startswith(NO_CONNECTION)
        lacking = len(nodes) < self.size
        return GateReading(
            nodes=nodes,
            targets={target.instance_id: _verdict(target) for target in targets},
            ping=ping,
            version=rancher.version(),
            upgrade=rancher.websocket(),
            members=refusal or rancher.members(),
            launch_failure=newest_launch_failure(self.session, group) if lacking else "",
            reached=self.reached,
        )

    def _rancher(self) -> tuple[RancherClient, str]:
        """Return an administrator; else a stranger, and why it is one if somebody answered.

        A server that is about to start may turn away a key that is good a minute later.
        """
        try:
            return administrator(self.spec, self.session, attempts=1), ""
        except (RancherError, PrerequisiteError) as error:
            refusal = str(error) if isinstance(error, PrerequisiteError) else ""
            return RancherClient(rancher_url(self.spec), attempts=1), refusal


@dataclass(slots=True)
class HostsProbe:
    """Looks at the hosts of every environment and says which pools lack some."""

    session: boto3.Session
    spec: ClusterSpec
    project_ids: Mapping[str, str]
    """Environment's name to its id in Rancher."""
    hosts: list[Host] = field(default_factory=list)
    """What the last look found."""

    def __call__(self) -> list[str]:
        """Return one sentence for each pool that lacks hosts."""
        rancher = administrator(self.spec, self.session, attempts=1)
        found = {name: rancher.hosts(project) for name, project in self.project_ids.items()}
        self.hosts = [host for hosts in found.values() for host in hosts]
        return [
            sentence
            for environment, hosts in found.items()
            for sentence in find_shortfalls(_wishes(self.session, self.spec, environment), hosts)
        ]


def _nodes(session: boto3.Session, group: str) -> tuple[Node, ...]:
    members = read_group(session, group).members
    staying = (member for member in members if not member.lifecycle.startswith(LEAVING))
    return tuple(Node(member.instance_id, member.private_ip) for member in staying)


def _verdict(target: TargetHealth) -> str:
    return target.state if target.is_healthy else f"{target.state}: {target.reason or 'no reason'}"


def _wishes(session: boto3.Session, spec: ClusterSpec, environment: str) -> list[PoolWish]:
    wishes = []
    for pool in spec.pools_of(environment):
        group = read_group(session, f"{spec.name}-{pool.name}")
        ids = [member.instance_id for member in group.members]
        lacking = len(ids) < pool.minimum
        failure = newest_launch_failure(session, group.name) if lacking else ""
        wishes.append(PoolWish.of(pool, ids, failure))
    return wishes
