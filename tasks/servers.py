"""Prefect's view of Rancher's servers: replaced or taken away one by one, added, stopped."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import boto3
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from corral.clients.aws import (
    empty_group,
    leave_balancer,
    living_instances,
    read_servers,
    remove_server,
    replace_machine,
    target_health,
)
from corral.cluster import ClusterSpec
from corral.domain.servers import Renewal, ServerGroup, find_hindrances
from corral.domain.set_up.steps import Did, Step
from corral.domain.stacks import ControlPlaneOutputs
from tasks import connect
from tasks.departures import GatePatience, Watch, refuse, roll, shrink
from tasks.probes import GateProbe
from tasks.progress import progress
from tasks.rancher import GROW_STAGE, await_gate, find_sizes, scale_servers
from tasks.retries import patient_task
from tasks.waiting import Teller, wait_for

ROLL_STAGE = "roll of the servers"
SHRINK_STAGE = "fewer servers"
STOP_STAGE = "servers stopped"


@dataclass(frozen=True, slots=True)
class RolledServers:
    """The servers after their roll."""

    replaced: tuple[str, ...]
    """The instances that are gone, in order."""

    def __str__(self) -> str:
        """For people."""
        count = len(self.replaced)
        said = f"{count or 'no'} server{'' if count == 1 else 's'} replaced"
        return f"{said}: {', '.join(self.replaced)}" if self.replaced else said


@task(task_run_name="roll-servers-of-{spec.name}", tags=["aws", "rancher"], cache_policy=NO_CACHE)
def roll_servers(
    spec: ClusterSpec, control: ControlPlaneOutputs, renewal: Renewal
) -> RolledServers:
    """Replace servers one by one, each only while all others pass the gate; then pass it whole.

    A roll that died is finished by the next. Never retried as a whole, since it would forget which
    servers are new; it waits out hiccups by itself.

    Raises:
        GateTimeoutError: One did not go or did not come back; nothing after it was touched.
        PrerequisiteError: The group is not at its size, may not do what it has to, or starts new
            servers from something else meanwhile.
    """
    with progress().stage(ROLL_STAGE):
        watch = _watch(spec, control, ROLL_STAGE)
        roll(watch, renewal, spec.control.count)
        return RolledServers(tuple(watch.gone))


@task(task_run_name="shrink-servers-of-{spec.name}", tags=["aws", "rancher"], cache_policy=NO_CACHE)
def shrink_servers(spec: ClusterSpec, control: ControlPlaneOutputs) -> list[Step]:
    """Take servers away one by one, behind the gate, until there are no more than the file says.

    Raises:
        GateTimeoutError: One did not go, or the others are not one cluster without it.
        PrerequisiteError: The group may not do what it has to.
    """
    with progress().stage(SHRINK_STAGE):
        watch = _watch(spec, control, SHRINK_STAGE)
        shrink(watch, spec.control.count)
        return [Step(f"server {instance_id}", Did.REMOVED) for instance_id in watch.gone]


def grow_servers(spec: ClusterSpec, control: ControlPlaneOutputs) -> list[Step]:
    """Add servers one by one, behind the gate, until there are as many as the file says."""
    with progress().stage(GROW_STAGE):
        steps = []
        for size in range(find_sizes(spec, control)[0], spec.control.count + 1):
            steps.append(scale_servers(spec, control, size))
            await_gate(spec, control, size, GROW_STAGE)
        return steps


@patient_task("stop-servers-of-{spec.name}", "aws")
def stop_servers(spec: ClusterSpec, control: ControlPlaneOutputs) -> Step:
    """End all servers at once, and wait until not one is left that might use the database.

    `start_first_server` and `start_other_servers` bring new ones up.

    Raises:
        GateTimeoutError: Some were still there in the end.
        PrerequisiteError: The group may not do what it has to, or somebody set a server aside.
    """
    session, place = connect.aws(spec.aws), Place(spec, control)
    with progress().stage(STOP_STAGE):
        refuse(find_hindrances(place.read()))
        changed = empty_group(session, control.group_name)
        wait_for(
            f"no server of {control.group_name} is left",
            partial(_left, session, control),
            connect.settings().gate_deadline_s,
            Teller(STOP_STAGE),
        )
    return Step(f"servers of {control.group_name}", Did.REMOVED if changed else Did.KEPT)


def _left(session: boto3.Session, control: ControlPlaneOutputs) -> list[str]:
    """Return one sentence for each server that lives, and for each that requests go to."""
    living = living_instances(session, control.group_name)
    targets = target_health(session, control.target_group_arn)
    return [
        *(f"{instance_id} is {state}" for instance_id, state in living.items()),
        *(f"{one.instance_id} is {one.state} in the load balancer" for one in targets),
    ]


def _watch(spec: ClusterSpec, control: ControlPlaneOutputs, stage: str) -> Watch:
    return Watch(Place(spec, control), _patience(), Teller(stage))


def _patience() -> GatePatience:
    settings = connect.settings()
    return GatePatience(
        deadline=timedelta(seconds=settings.gate_deadline_s),
        interval=timedelta(seconds=settings.gate_interval_s),
        passes=settings.gate_passes,
    )


class Place:
    """The servers' group and target group in AWS, and the Rancher that they are."""

    def __init__(self, spec: ClusterSpec, control: ControlPlaneOutputs) -> None:
        self._spec = spec
        self._control = control
        self._session = connect.aws(spec.aws)
        self._log = get_run_logger()

    def read(self) -> ServerGroup:
        """Return the group and its servers."""
        control = self._control
        return read_servers(self._session, control.group_name, control.target_group_arn)

    def gate(self, size: int, spared: Collection[str]) -> Callable[[], Sequence[str]]:
        """Return what looks whether so many servers are one cluster, but for those spared."""
        who = frozenset(spared)
        return GateProbe(self._session, self._spec, self._control, size, spared=who)

    def leave(self, instance_id: str) -> None:
        """Take a server out of the load balancer."""
        self._log.info("taking %s out of the load balancer", instance_id)
        leave_balancer(self._session, self._control.target_group_arn, instance_id)

    def replace(self, instance_id: str) -> None:
        """Have the group end a server and start another."""
        self._log.info("replacing %s", instance_id)
        replace_machine(self._session, instance_id)

    def remove(self, instance_id: str, size: int) -> None:
        """Have the group end a server and get along with fewer: with so many."""
        self._log.info("removing %s, so that %d servers are left", instance_id, size)
        remove_server(self._session, self._control.group_name, instance_id, size)
