"""What lives in the lab's AWS: machines on its instances, Rancher on its machines."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lab.aws import Aws, SeededInstance
from lab.balancer import Balancer
from lab.machines import Machines, Names, NoMachineError
from lab.machines.workloads import RancherImages
from lab.world import World

HERD_TAGS = {"Name": "seeded-herd", "Pool": "seeded", "Role": "seeded"}


class Populace:
    """Boots what EC2 runs, and is the lever's hand on machines and hosts."""

    def __init__(self, world: World, aws: Aws, balancer: Balancer) -> None:
        self._aws = aws
        names = Names(world, aws, balancer, world.root / "names")
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
        """Silence an instance's agent for some seconds of the lab.

        Raises:
            LookupError: no agent runs there.

        """
        self._machines.partition(instance_id, seconds)

    async def seed(self, hosts: int, phantoms: int, environment: str) -> Mapping[str, Any]:
        """Make a herd at once: rows in Rancher, instances in EC2, the phantoms' terminated.

        Raises:
            LookupError: there is no Rancher yet, or it has no such environment.

        """
        clusters = list(self._images.clusters.values())
        if not clusters:
            raise LookupError("there is no Rancher yet that could have a herd")
        made = clusters[0].seed_herd(hosts, phantoms, environment)
        herd = [SeededInstance(one.instance_id, one.private_ip, not one.phantom) for one in made]
        await asyncio.to_thread(self._aws.seed_herd, herd, HERD_TAGS)
        return {
            "hosts": [one.host_id for one in made],
            "phantoms": [one.host_id for one in made if one.phantom],
        }

    def hosts(self) -> list[dict[str, Any]]:
        """Return every host row as stored, removed ones too."""
        clusters = self._images.clusters.values()
        return [host for cluster in clusters for host in cluster.stored_hosts()]
