"""All machines: each running instance of EC2 gets one, and loses it when it is terminated."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from lab.aws.moto_edge import ACCOUNT_ID
from lab.aws.views import InstanceView
from lab.machines.image import bake
from lab.machines.machine import Machine
from lab.machines.names import Names
from lab.machines.outside import Aws, ImagesFor, Surroundings
from lab.machines.workloads import AGENT
from lab.rancher import AgentContainer
from lab.world import World

GOING = frozenset({"stopping", "shutting-down"})
GONE = frozenset({"stopped", "terminated"})

Change = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


class NoMachineError(LookupError):
    """No machine is switched on for this instance."""


class Machines:
    """Watches EC2 and keeps a machine for each instance.

    EC2 is told when a machine has power and when it has none any more, and lets it take its time to
    shut down; a machine that has power although its instance is gone loses it at once.

    Args:
        world: The lab's clock, folder and addresses.
        aws: Tells which instances there are.
        names: The resolver of the machines' network.
        images_for: Makes what containers do.
    """

    def __init__(self, world: World, aws: Aws, names: Names, images_for: ImagesFor) -> None:
        self._world = world
        self._aws = aws
        self._names = names
        self._images_for = images_for
        self._machines: dict[str, Machine] = {}
        self._switched_on: set[str] = set()
        self._with_power: set[str] = set()
        self._changes: dict[str, asyncio.Task[None]] = {}
        self._surroundings: Surroundings | None = None

    async def start(self) -> None:
        """Begin to watch: what runs in EC2 from now on boots."""
        self._surroundings = Surroundings(
            bake(self._world.root / "image"),
            ACCOUNT_ID,
            await self._names.listen(),
            self._names.authority.certificate_path,
        )
        self._aws.subscribe(self._on_change)

    async def stop(self) -> None:
        """Let all machines lose their power; nothing of them is left running."""
        self._surroundings = None
        for instance_id, change in list(self._changes.items()):
            if instance_id in self._with_power or not change.done():
                self._end(instance_id, self._machines[instance_id].lose_power)
        self._switched_on.clear()
        await asyncio.gather(*self._changes.values(), return_exceptions=True)
        await self._names.close()

    def find(self, instance_id: str) -> Machine:
        """Return the machine of an instance.

        Raises:
            NoMachineError: None is switched on.
        """
        if instance_id not in self._switched_on:
            raise NoMachineError(f"no machine is switched on for instance {instance_id}")
        return self._machines[instance_id]

    async def crash(self, instance_id: str) -> None:
        """Let a machine lose its power at once; EC2 is told by whoever calls.

        Raises:
            NoMachineError: None is switched on.
        """
        machine = self.find(instance_id)
        self._switched_on.discard(instance_id)
        await self._end(instance_id, machine.lose_power)

    def partition(self, instance_id: str, seconds: float) -> None:
        """Cut a machine's agent off for some real seconds, and leave it running.

        Raises:
            NoMachineError: No agent runs on such a machine.
        """
        container = self.find(instance_id).docker.find(AGENT)
        workload = container.workload if container and container.is_running else None
        if not isinstance(workload, AgentContainer):
            raise NoMachineError(f"no agent runs on instance {instance_id}")
        workload.partition(seconds)

    def _on_change(self, instance_id: str, _old: str | None, new: str) -> None:
        if new == "running" and instance_id not in self._switched_on:
            self._switch_on(instance_id)
        if new in GOING and instance_id in self._switched_on:
            self._switched_on.discard(instance_id)
            self._end(instance_id, self._machines[instance_id].shut_down)
        if new in GONE and instance_id in self._with_power:
            self._switched_on.discard(instance_id)
            self._end(instance_id, self._machines[instance_id].lose_power)

    def _switch_on(self, instance_id: str) -> None:
        if self._surroundings is None:
            return
        if instance_id not in self._machines:
            self._machines[instance_id] = Machine(
                self._world,
                partial(self._view, instance_id),
                self._surroundings,
                self._images_for,
            )
        self._switched_on.add(instance_id)
        self._with_power.add(instance_id)
        self._aws.set_power(instance_id, on=True)
        self._follow(instance_id, self._machines[instance_id].power_on)

    def _view(self, instance_id: str) -> InstanceView:
        instance = self._aws.instance(instance_id)
        if instance is None:
            raise NoMachineError(f"EC2 knows no instance {instance_id}")
        return instance

    def _end(self, instance_id: str, ending: Change) -> asyncio.Task[None]:
        """Break off what a machine is doing (booting, shutting down) and end it this way."""
        before = self._changes.get(instance_id)
        if before is not None:
            before.cancel()

        async def end() -> None:
            await ending()
            self._with_power.discard(instance_id)
            self._aws.set_power(instance_id, on=False)

        return self._follow(instance_id, end)

    def _follow(self, instance_id: str, change: Change) -> asyncio.Task[None]:
        before = self._changes.get(instance_id)

        async def after() -> None:
            if before is not None:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({before})
            await change()

        task = asyncio.get_running_loop().create_task(after(), name=f"machine {instance_id}")
        task.add_done_callback(_report)
        self._changes[instance_id] = task
        return task


def _report(change: asyncio.Task[None]) -> None:
    """Say what went wrong with a machine; the others go on."""
    if not change.cancelled() and change.exception() is not None:
        log.error("%s failed", change.get_name(), exc_info=change.exception())
