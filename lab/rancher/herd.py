"""Herds for tests at scale: thousands of hosts with one call."""

import random
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.rancher.accounts import find_environment
from lab.rancher.rows import Account, Agent, Host, PhysicalHost, new_uuid
from lab.rancher.states import ACTIVE, DISCONNECTED

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

AGE_S = 30 * 24 * 3600
ROLES = ("web", "celery", "crawler")


class SeededAgent:
    """The connection of an agent without a machine, which answers whenever it is asked."""

    is_answering = True

    def take_answer(self) -> bool:
        """Answer the last ping."""
        return True

    def ping(self, *, resources: bool) -> None:
        """Take a ping; nothing about the machine ever changes."""

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, slots=True)
class SeededHost:
    """One host that was made up."""

    host_id: str
    instance_id: str
    private_ip: str
    phantom: bool


def seed(
    cluster: "RancherCluster",
    hosts: int,
    phantoms: int,
    environment: str,
    instances: Iterable[tuple[str, str]],
) -> list[SeededHost]:
    """Make hosts; the phantoms are spread evenly among them."""
    account = find_environment(cluster.store, environment)
    given = iter(instances)
    made_up = _made_up_instances(cluster)
    seeded = []
    for number in range(hosts):
        phantom = (number + 1) * phantoms // hosts > number * phantoms // hosts
        machine = next(made_up) if phantom else next(given, None) or next(made_up)
        seeded.append(_seed_one(cluster, account, number, machine, phantom=phantom))
    return seeded


def _made_up_instances(cluster: "RancherCluster") -> Iterator[tuple[str, str]]:
    """Yield ids and addresses that no host has, and none that AWS keeps for itself."""
    taken = {host.agent_ip_address for host in cluster.store.hosts}
    networks = (f"10.{b}.{c}" for b in range(200, 256) for c in range(256))
    addresses = (f"{network}.{d}" for network in networks for d in range(4, 254))
    for address in addresses:
        if address not in taken:
            yield f"i-0{secrets.token_hex(8)}", address


def _seed_one(
    cluster: "RancherCluster",
    account: Account,
    number: int,
    machine: tuple[str, str],
    *,
    phantom: bool,
) -> SeededHost:
    instance_id, private_ip = machine
    state = DISCONNECTED if phantom else ACTIVE
    created = time.time() - random.uniform(0.0, AGE_S)
    store = cluster.store
    agent = Agent(kind="agent", state=state, created=created, resources_account_id=account.id)
    store.agents.add(agent)
    physical = PhysicalHost(kind="physicalHost", state=ACTIVE, created=created)
    physical.account_id, physical.agent_id = account.id, agent.id
    store.physical_hosts.add(physical)
    host = Host(
        kind="docker",
        state=ACTIVE,
        created=created,
        account_id=account.id,
        agent_id=agent.id,
        agent_state=state,
        physical_host_id=physical.id,
        reported_uuid=new_uuid(),
        hostname=f"ip-{private_ip.replace('.', '-')}.ec2.internal",
        agent_ip_address=private_ip,
        labels=_labels(instance_id, account.name or "", ROLES[number % len(ROLES)]),
        info={"osInfo": {"dockerVersion": "Docker version 17.06"}, "cpuInfo": {"count": 2}},
        memory=3975000000,
        milli_cpu=2000,
        local_storage_mb=50000,
    )
    store.hosts.add(host)
    if not phantom:
        cluster.connections[agent.id] = SeededAgent()
    return SeededHost(f"1h{host.id}", instance_id, private_ip, phantom)


def _labels(instance_id: str, environment: str, role: str) -> dict[str, str]:
    return {
        "aws.account_id": "123456789012",
        "aws.instance_id": instance_id,
        "aws.region": "us-east-1",
        "env": environment,
        "io.rancher.host.docker_version": "17.06",
        "io.rancher.host.os": "linux",
        "role": role,
    }
