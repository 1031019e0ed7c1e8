"""The lab's AWS as the rest of the lab sees it."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from lab.aws import dns, look
from lab.aws.fleet import Fleet
from lab.aws.fleet.interruptions import Interruptions
from lab.aws.fleet.refresh import Refreshes
from lab.aws.fleet.seams import install
from lab.aws.gaps import (
    close_gaps,
    database_life,
    database_passwords,
    database_snapshots,
    forgetting,
    shutting_down,
)
from lab.aws.gaps.target_health import TargetHealth, found
from lab.aws.herd import own_instances, sow_herd
from lab.aws.moto_edge import LOCK, fresh_backends, restore
from lab.aws.seeds import sow
from lab.aws.server import AwsServer
from lab.aws.views import (
    DatabaseView,
    InstanceView,
    LoadBalancerView,
    SeededInstance,
    SnapshotView,
    TargetGroupView,
)
from lab.world import World

log = logging.getLogger(__name__)

TICK_S = 0.2
_PATIENCE_S = 0.05
"""How long the loop waits for moto's lock; answers of thousands of instances hold it longer."""
OnChange = Callable[[str, str | None, str], object]


class Aws:
    """moto with its gaps closed, and what AWS does by itself.

    There is one in a process at a time, since moto's memory belongs to the process. Every method
    may be called from any thread; callbacks come on the world's loop.
    """

    def __init__(self, world: World, port: int = 0) -> None:
        self._world = world
        # First, since a port that is taken must find moto as it was.
        self._server = AwsServer(world, port)
        self._backends = fresh_backends()
        close_gaps(world, self._backends)
        self._fleet = Fleet(world, self._backends)
        self._interruptions = Interruptions(self._backends, world.seconds)
        self._refreshes = Refreshes(self._fleet, world.seconds)
        install(self._fleet, self._refreshes)
        sow(self._backends)
        self._listeners: list[OnChange] = []
        self._states: dict[str, str] = {}
        self._power: dict[str, bool] = {}
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Answer calls and begin to keep groups at their size."""
        self._world.aws_endpoint = self._server.start()
        self._keeper = asyncio.create_task(self._keep(), name="aws-keeper")

    async def stop(self) -> None:
        """Stop answering; nothing is kept, and moto is as it was."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
            await asyncio.to_thread(self._server.stop)
        await asyncio.to_thread(self._let_go)

    @staticmethod
    def _let_go() -> None:
        with LOCK:
            restore()

    def subscribe(self, on_change: OnChange) -> None:
        """Call back with (instance id, old state or none, new state) at every change."""
        self._listeners.append(on_change)

    def instances(self) -> list[InstanceView]:
        """Return every instance that can boot, terminated ones too; not a seeded herd's."""
        own = own_instances(self._backends)
        return [look.instance_view(self._backends, instance) for instance in own]

    def instance(self, instance_id: str) -> InstanceView | None:
        """Return one instance, none if EC2 does not know it."""
        known = self._backends.ec2.get_instance_by_id(instance_id)
        return look.instance_view(self._backends, known) if known else None

    def crash(self, instance_id: str) -> None:
        """Let an instance die without a word: terminated, and no lifecycle hook hears of it."""
        with LOCK:
            shutting_down.end(self._backends.ec2.get_instance(instance_id))
            self._fleet.drop(instance_id)

    def set_power(self, instance_id: str, *, on: bool) -> None:
        """Take note of whether an instance's machine has power: its end waits until it has none.

        Instances that nobody speaks of have no machine, and their end takes a time of its own.
        """
        self._power[instance_id] = on

    def interrupt(self, instance_id: str) -> None:
        """Give an instance the notice of a spot interruption, and end it when that is over.

        Raises:
            LookupError: EC2 does not know it, or it does not run.

        """
        with LOCK:
            self._interruptions.warn(instance_id)

    def forget(self, instance_id: str) -> None:
        """Let EC2 forget a terminated instance now, and not after an hour.

        Raises:
            LookupError: EC2 does not know it, or it is not terminated.

        """
        with LOCK:
            forgetting.forget(self._backends, instance_id)

    def seed_herd(self, herd: Iterable[SeededInstance], tags: Mapping[str, str]) -> None:
        """Make instances that never boot; for herds of any size."""
        with LOCK:
            sow_herd(self._backends, herd, tags)

    def resolve(self, name: str) -> str | None:
        """Return the RDS endpoint, load balancer name or address that a name leads to."""
        return dns.resolve(self._backends, name)

    def names_of(self, address: str) -> list[str]:
        """Return the names in the account's zones that lead to an address."""
        return dns.names_of(self._backends, address)

    def databases(self) -> list[DatabaseView]:
        """Return every RDS instance."""
        known = list(self._backends.rds.databases.values())
        return [look.database_view(self._backends, database) for database in known]

    def snapshots(self) -> list[SnapshotView]:
        """Return every snapshot of RDS instances."""
        known = list(self._backends.rds.database_snapshots.values())
        return [look.snapshot_view(snapshot) for snapshot in known]

    def back_up(self, identifier: str) -> str:
        """Take an automated snapshot of a database now, and not at its time; return its name.

        Raises:
            LookupError: there is no such database, or it keeps no backups.

        """
        with LOCK:
            return database_snapshots.back_up(self._backends, identifier)

    def database_by_endpoint(self, host: str) -> DatabaseView | None:
        """Return the database of an endpoint; a name in Route 53 that leads there does as well."""
        address = self.resolve(host) or host
        return next((one for one in self.databases() if one.address == address), None)

    def load_balancers(self) -> list[LoadBalancerView]:
        """Return every load balancer, oldest first."""
        known = list(self._backends.elbv2.load_balancers.values())
        return [look.load_balancer_view(balancer) for balancer in known]

    def target_group(self, arn: str) -> TargetGroupView | None:
        """Return one target group as it is now."""
        group = self._backends.elbv2.target_groups.get(arn)
        return look.target_group_view(self._backends, group) if group else None

    def set_target_health(
        self,
        target_group_arn: str,
        target_id: str,
        state: str,
        reason: str | None = None,
        description: str | None = None,
    ) -> None:
        """Write what a health check found, for DescribeTargetHealth and the groups to see."""
        group = self._backends.elbv2.target_groups.get(target_group_arn)
        if group is not None and target_id in group.targets:
            found(group)[target_id] = TargetHealth(state, reason, description)

    async def _keep(self) -> None:
        trouble = ""
        while True:
            try:
                self._tick()
                trouble = ""
            except Exception as error:  # one odd object must not end all keeping
                if repr(error) != trouble:
                    log.exception("the groups cannot be kept at the moment")
                trouble = repr(error)
            await asyncio.sleep(TICK_S)

    def _tick(self) -> None:
        if not LOCK.acquire(timeout=_PATIENCE_S):
            return
        try:
            shutting_down.end_what_is_due(self._power)
            own = own_instances(self._backends)
            forgetting.forget_what_is_due(self._world, self._backends, own)
            self._interruptions.tick()
            database_passwords.change_what_is_due(self._backends)
            database_snapshots.back_up_what_is_due(self._world, self._backends)
            database_life.end_what_is_due(self._backends)
            self._fleet.tick()
            self._refreshes.tick(self._backends.autoscaling.autoscaling_groups)
            states = {instance.id: instance.state for instance in own_instances(self._backends)}
        finally:
            LOCK.release()
        before, self._states = self._states, states
        for instance_id, state in states.items():
            if before.get(instance_id) != state:
                for listener in self._listeners:
                    listener(instance_id, before.get(instance_id), state)
