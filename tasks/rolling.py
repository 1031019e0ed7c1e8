"""Prefect's view of a roll: a pool's machines are replaced, a few at a time, behind a gate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial
from typing import Protocol

import boto3
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from corral.clients.aws import read_machines, replace_machine
from corral.clients.polling import Waiting, wait_until
from corral.cluster import ClusterSpec, Pool
from corral.domain.hosts import Host
from corral.domain.rolling import Machine, PoolMachines, active_ids, find_gaps, next_batch
from corral.domain.set_up.environments import project_ids
from corral.domain.set_up.steps import Did, Step
from corral.errors import GateTimeoutError, PrerequisiteError
from tasks import connect
from tasks.probes import administrator
from tasks.progress import progress
from tasks.waiting import Teller


@dataclass(frozen=True, slots=True)
class Rolled:
    """A pool after its roll."""

    pool: str
    replaced: tuple[str, ...]
    """The instances that are gone."""
    set_aside: tuple[Machine, ...] = ()
    """The machines that were not touched, since somebody took them out of the group's work."""

    def __str__(self) -> str:
        """For people."""
        count = len(self.replaced)
        said = f"{self.pool}: {count or 'no'} machine{'' if count == 1 else 's'} replaced"
        if not self.set_aside:
            return said
        left = "left as it is" if len(self.set_aside) == 1 else "left as they are"
        return f"{said}, set aside and {left}: {', '.join(str(one) for one in self.set_aside)}"


def roll_stage(pool: Pool) -> str:
    """Return what the stage of a pool's roll is called."""
    return f"roll of {pool.name}"


@task(task_run_name="roll-{spec.name}-{pool.name}", tags=["aws", "rancher"], cache_policy=NO_CACHE)
def roll_pool(spec: ClusterSpec, pool: Pool) -> Rolled:
    """Replace the machines that were started from another version than the group starts now.

    The group ends them, which drains their hosts first where `drain-hosts` runs. A run that died
    is finished by the next: what leaves already is waited for. Never retried as a whole, since it
    would forget whose old hosts it waits for; it waits out hiccups by itself.

    Raises:
        GateTimeoutError: A batch did not come back; nothing after it was touched.
        PrerequisiteError: New machines come up on another version.
    """
    stage, settings = roll_stage(pool), connect.settings()
    deadline = timedelta(
        seconds=settings.hosts_deadline_s + pool.drain_timeout_s + settings.removal_deadline_s
    )
    patience = RollPatience(deadline, timedelta(seconds=settings.gate_interval_s))
    with progress().stage(stage):
        place = _Place(spec, pool, connect.aws(spec.aws))
        return roll(place, pool.replace_at_once, patience, Teller(stage))


def roll_pools(spec: ClusterSpec) -> list[Step]:
    """Replace the outdated machines of one pool after another."""
    rolled = [roll_pool(spec, pool) for pool in spec.pools]
    return [
        Step(f"machine {instance_id} of {one.pool}", Did.REPLACED)
        for one in rolled
        for instance_id in one.replaced
    ]


class RollingPlace(Protocol):
    """What a roll asks of a pool's group and of Rancher, and has the group do."""

    @property
    def name(self) -> str:
        """The pool's name."""

    def read(self) -> PoolMachines:
        """Return the group and its machines."""

    def hosts(self) -> Sequence[Host]:
        """Return the hosts of the pool's environment."""

    def replace(self, instance_id: str) -> bool:
        """Have the group end a machine and start another; False if it has it no more."""


@dataclass(frozen=True, slots=True)
class RollPatience:
    """How long a batch may take, one that nobody drains included, and how often it is looked at."""

    deadline: timedelta
    interval: timedelta


def roll(
    place: RollingPlace, at_once: int, patience: RollPatience, tell: Callable[[Waiting], None]
) -> Rolled:
    """Replace batch after batch until nothing is outdated.

    It ends, since only machines are replaced that were there when it began.

    Raises:
        GateTimeoutError: A batch did not come back; nothing after it was touched.
        PrerequisiteError: New machines come up on another version.
    """
    watch = _Watch(place, patience, tell)
    watch.await_whole()
    first = {machine.instance_id for machine in watch.pool.machines}
    while batch := next_batch(watch.pool, at_once, active_ids(watch.hosts)):
        if strays := [one for one in watch.pool.outdated if one.instance_id not in first]:
            raise PrerequisiteError(_said(strays[0], watch.pool))
        for machine in batch:
            watch.end(machine.instance_id)
        watch.await_whole()
    return Rolled(place.name, tuple(watch.gone), watch.pool.set_aside)


UNSEEN = PoolMachines("", 0, "", ())


@dataclass(slots=True)
class _Watch:
    """Has machines end and looks whether the pool is whole again; hiccups cost a look each."""

    place: RollingPlace
    patience: RollPatience
    tell: Callable[[Waiting], None]
    gone: list[str] = field(default_factory=list)
    """The instances that were replaced."""
    pool: PoolMachines = UNSEEN
    """As the last look found it."""
    hosts: Sequence[Host] = ()

    def await_whole(self) -> None:
        """Wait until the pool may lose its next machines."""
        without = ", ".join(self.gone) or "a gap"
        try:
            self._wait(f"pool {self.place.name} is whole without {without}", self._look)
        except GateTimeoutError as error:
            if self.pool is UNSEEN:
                raise
            said = f"the roll stops here; left as they are, on the old version: {_left(self.pool)}"
            failures = [*error.failures, said]
            raise GateTimeoutError(error.condition, error.deadline, failures) from error

    def end(self, instance_id: str) -> None:
        """Have the group end a machine, unless it does already."""
        self.gone.append(instance_id)
        self._wait(f"{instance_id} is told to end", partial(self._order, instance_id))

    def _wait(self, condition: str, probe: Callable[[], Sequence[str]]) -> None:
        deadline, interval = self.patience.deadline, self.patience.interval
        wait_until(condition, probe, deadline=deadline, interval=interval, on_wait=self.tell)

    def _look(self) -> list[str]:
        self.pool = self.place.read()
        if not self.pool.outdated and not self.gone:
            return []
        self.hosts = self.place.hosts()
        return find_gaps(self.pool, self.hosts, self.gone)

    def _order(self, instance_id: str) -> list[str]:
        # Read first: an order may have been heard although its answer was lost.
        staying = (one for one in self.place.read().outdated if not one.is_leaving)
        if instance_id in {one.instance_id for one in staying}:
            self.place.replace(instance_id)
        return []


def _left(pool: PoolMachines) -> str:
    return ", ".join(machine.instance_id for machine in pool.outdated) or "none"


def _said(stray: Machine, pool: PoolMachines) -> str:
    return (
        f"The roll of {pool.group} stops: {stray.instance_id} came up after it began, from"
        f" {stray.version or 'no launch template'}, while the group starts {pool.version}: see"
        " who else changes its launch template, then run again; left as they are, on the old"
        f" version: {_left(pool)}."
    )


class _Place:
    """A pool's group in AWS and its environment in Rancher."""

    def __init__(self, spec: ClusterSpec, pool: Pool, session: boto3.Session) -> None:
        self.name = pool.name
        self._spec = spec
        self._environment = pool.environment
        self._group = f"{spec.name}-{pool.name}"
        self._session = session
        self._log = get_run_logger()

    def read(self) -> PoolMachines:
        return read_machines(self._session, self._group)

    def hosts(self) -> Sequence[Host]:
        return administrator(self._spec, self._session, attempts=1).hosts(self._project)

    def replace(self, instance_id: str) -> bool:
        self._log.info("replacing %s of %s", instance_id, self._group)
        return replace_machine(self._session, instance_id)

    @cached_property
    def _project(self) -> str:
        projects = administrator(self._spec, self._session, attempts=1).projects()
        return project_ids([self._environment], projects)[self._environment]
