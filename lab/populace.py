"""What lives in the lab's AWS: machines on its instances, Rancher on its machines."""

from collections.abc import Mapping
from typing import Any

from lab.aws import Aws
from lab.balancer import Balancer
from lab.world import World


class Populace:
    """Starts what boots and runs, and takes it down for the lever."""

    def __init__(self, world: World, aws: Aws, balancer: Balancer) -> None:
        self._world = world
        self._aws = aws
        self._balancer = balancer

    async def start(self) -> None:
        """Begin to boot machines."""

    async def stop(self) -> None:
        """Take everything down."""

    async def crash(self, instance_id: str) -> None:
        """Let an instance die without a word: EC2 says terminated, Rancher keeps the host."""
        instance = self._aws.instance(instance_id)
        if instance is None or instance.state == "terminated":
            raise LookupError(f"no living instance {instance_id}")
        self._aws.crash(instance_id)

    async def partition(self, instance_id: str, seconds: float) -> None:
        """Silence an instance's agent for a while."""
        raise LookupError(f"no agent on {instance_id} to silence for {seconds} s")

    def seed(self, hosts: int, phantoms: int, environment: str) -> Mapping[str, Any]:
        """Make a herd at once."""
        raise LookupError(f"no environment {environment} for {hosts} hosts, {phantoms} phantoms")

    def hosts(self) -> list[dict[str, Any]]:
        """Return every host row as stored."""
        return []
