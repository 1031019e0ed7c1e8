"""One look at a cluster from all sides, for tasks that wait: clients are asked, `domain` judges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import boto3

from corral.clients.aws import SecretVault, TargetHealth, read_group, target_health
from corral.clients.rancher import RancherClient, read_admin_key
from corral.cluster import ClusterSpec
from corral.domain.gate import GateFailure, GateReading, GateRule, Node, judge_gate
from corral.domain.hosts import Host, PoolWish, find_shortfalls
from corral.domain.stacks import ControlPlaneOutputs
from tasks import connect

LEAVING = "Terminating"


def vault(spec: ClusterSpec) -> SecretVault:
    """Return the place of the cluster's secrets."""
    return SecretVault(connect.aws(spec.aws), {"Cluster": spec.name, "ManagedBy": "corral"})


def rancher_url(spec: ClusterSpec) -> str:
    """Return where this process reaches the cluster's Rancher."""
    return connect.settings().rancher_url or spec.url


def administrator(spec: ClusterSpec, *, attempts: int = 5) -> RancherClient:
    """Return a client with the administrator's key; before there is one, it speaks as nobody."""
    key = read_admin_key(vault(spec), spec.name)
    return RancherClient(rancher_url(spec), key, attempts=attempts)


@dataclass(slots=True)
class GateProbe:
    """Looks at the servers and says what keeps their gate shut, and since when."""

    spec: ClusterSpec
    control: ControlPlaneOutputs
    size: int
    failures: Sequence[GateFailure] = ()

    def __call__(self) -> list[str]:
        """Return one sentence for each check that fails."""
        rule = GateRule(self.size, self.spec.rancher.version)
        self.failures = judge_gate(self._read(), rule, self.failures, datetime.now(UTC))
        return [str(failure) for failure in self.failures]

    def _read(self) -> GateReading:
        session = connect.aws(self.spec.aws)
        rancher = administrator(self.spec, attempts=1)
        targets = target_health(session, self.control.target_group_arn)
        return GateReading(
            nodes=_nodes(session, self.control.group_name),
            targets={target.instance_id: _verdict(target) for target in targets},
            ping=rancher.ping(),
            version=rancher.version(),
            upgrade=rancher.websocket(),
            members=rancher.members(),
        )


@dataclass(slots=True)
class HostsProbe:
    """Looks at the hosts of every environment and says which pools lack some."""

    spec: ClusterSpec
    project_ids: Mapping[str, str]
    """Environment's name to its id in Rancher."""
    hosts: list[Host] = field(default_factory=list)
    """What the last look found."""

    def __call__(self) -> list[str]:
        """Return one sentence for each pool that lacks hosts."""
        rancher = administrator(self.spec)
        found = {name: rancher.hosts(project) for name, project in self.project_ids.items()}
        self.hosts = [host for hosts in found.values() for host in hosts]
        return [
            sentence
            for environment, hosts in found.items()
            for sentence in find_shortfalls(_wishes(self.spec, environment), hosts)
        ]


def _nodes(session: boto3.Session, group: str) -> tuple[Node, ...]:
    members = read_group(session, group).members
    staying = (member for member in members if not member.lifecycle.startswith(LEAVING))
    return tuple(Node(member.instance_id, member.private_ip) for member in staying)


def _verdict(target: TargetHealth) -> str:
    return target.state if target.is_healthy else f"{target.state}: {target.reason or 'no reason'}"


def _wishes(spec: ClusterSpec, environment: str) -> list[PoolWish]:
    session = connect.aws(spec.aws)
    return [
        PoolWish(
            pool=pool.name,
            role=pool.role,
            environment=environment,
            minimum=pool.minimum,
            instance_ids=frozenset(
                member.instance_id
                for member in read_group(session, f"{spec.name}-{pool.name}").members
            ),
        )
        for pool in spec.pools_of(environment)
    ]
