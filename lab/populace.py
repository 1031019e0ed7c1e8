"""What lives in the lab's AWS: machines on its instances, Rancher on its machines."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from lab.aws import Aws, InstanceView, SeededInstance
from lab.balancer import Balancer
from lab.machines import Machines, Names, NoMachineError
from lab.machines.docker.containers import Container
from lab.machines.workloads import RancherImages
from lab.rancher import RancherCluster
from lab.world import World

SERVER = "rancher-server"
"""What machines call the container of Rancher's server."""
HERD_TAGS = {"Name": "seeded-herd", "Pool": "seeded", "Role": "seeded"}


async def restart_servers(machines: Machines, instances: Iterable[InstanceView]) -> list[str]:
    """Restart the containers of Rancher's servers, all at once; return the instances they are on.

    Raises:
        LookupError: none runs.

    """
    running = dict(_servers_on(machines, instances))
    if not running:
        raise LookupError("no container of Rancher's server runs")
    await asyncio.gather(*(server.stop(by_hand=True) for server in running.values()))
    for server in running.values():
        server.start()
    return list(running)


def _servers_on(
    machines: Machines, instances: Iterable[InstanceView]
) -> Iterator[tuple[str, Container]]:
    for instance in instances:
        with suppress(NoMachineError):
            container = machines.find(instance.id).docker.find(SERVER)
            if container is not None and container.is_running:
                yield instance.id, container


class Populace:
    """Boots what EC2 runs, and is the lever's hand on machines and hosts."""

    def __init__(self, world: World, aws: Aws, balancer: Balancer) -> None:
        self._aws = aws
        names = Names(world, aws, balancer, world.authority.parent)
        self._images = RancherImages(world, aws, names)
        self._machines = Machines(world, aws, names, self._images.on)

    async def start(self) -> None:
        """Begin to boot machines."""
        await self._machines.start()

    async def stop(self) -> None:
        """Take every machine down at once."""
        await self._machines.stop()

    async def crash(self, instance_id: str) -> None:
        """Let an instance die without a word: EC2 says terminated, Rancher keeps the host.

        Raises:
            LookupError: EC2 does not know it, or it is dead already.

        """
        instance = self._aws.instance(instance_id)
        if instance is None or instance.state == "terminated":
            raise LookupError(f"EC2 has no living instance {instance_id}")
        with suppress(NoMachineError):
            await self._machines.crash(instance_id)
        await asyncio.to_thread(self._aws.crash, instance_id)

    async def partition(self, instance_id: str, seconds: float) -> None:
        """Silence an instance's agent for some real seconds.

        Raises:
            LookupError: no agent runs there.

        """
        self._machines.partition(instance_id, seconds)

    async def interrupt(self, instance_id: str) -> None:
        """Give an instance the notice of a spot interruption; EC2 ends it two minutes later.

        Raises:
            LookupError: EC2 does not know it, or it does not run.

        """
        await asyncio.to_thread(self._aws.interrupt, instance_id)

    async def forget(self, instance_id: str) -> None:
        """Let EC2 forget a terminated instance.

        Raises:
            LookupError: EC2 does not know it, or it is not terminated.

        """
        await asyncio.to_thread(self._aws.forget, instance_id)

    async def back_up(self, identifier: str) -> str:
        """Take an automated snapshot of a database now; return its name.

        Raises:
            LookupError: there is no such database, or it keeps no backups.

        """
        return await asyncio.to_thread(self._aws.back_up, identifier)

    async def restart_servers(self) -> list[str]:
        """Restart the containers of Rancher's servers, all at once; their machines go on.

        Raises:
            LookupError: none runs.

        """
        return await restart_servers(self._machines, self._aws.instances())

    async def seed(self, hosts: int, phantoms: int, environment: str) -> Mapping[str, Any]:
        """Make a herd at once: rows in Rancher, instances in EC2, the phantoms' terminated.

        Raises:
            LookupError: there is no Rancher yet, or it has no such environment.

        """
        made = self._cluster().seed_herd(hosts, phantoms, environment)
        herd = [SeededInstance(one.instance_id, one.private_ip, not one.phantom) for one in made]
        await asyncio.to_thread(self._aws.seed_herd, herd, HERD_TAGS)
        return {
            "hosts": [one.host_id for one in made],
            "phantoms": [one.host_id for one in made if one.phantom],
        }

    def serve(self, name: str, scale: int, environment: str) -> None:
        """Make a service of so many containers on the hosts of an environment.

        Raises:
            LookupError: there is no Rancher yet, or it has no such environment.

        """
        self._cluster().seed_service(name, scale, environment)

    def _cluster(self) -> RancherCluster:
        cluster = self._current()
        if cluster is None:
            raise LookupError("there is no Rancher yet that could have a herd")
        return cluster

    def _current(self) -> RancherCluster | None:
        """Return the data that servers are on, or else the last: a restore leaves two."""
        clusters = list(self._images.clusters.values())
        served = [cluster for cluster in clusters if cluster.servers]
        return next(iter(served or reversed(clusters)), None)

    def hosts(self) -> list[dict[str, Any]]:
        """Return every host row as stored, removed ones too."""
        cluster = self._current()
        return cluster.stored_hosts() if cluster is not None else []
