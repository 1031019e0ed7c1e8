"""Prefect's view of Rancher: servers behind their gate, access, environments, joined hosts."""

from collections.abc import Sequence
from datetime import timedelta

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from pydantic import SecretStr

from corral.clients.aws import read_group, scale_group
from corral.clients.polling import Waiting, wait_until
from corral.clients.rancher import Patience, SetUp
from corral.cluster import ClusterSpec
from corral.domain.access import Did, Step, project_ids
from corral.domain.gate import sizes_to_pass
from corral.domain.hosts import Host
from corral.domain.stacks import ControlPlaneOutputs
from tasks import connect
from tasks.alerts import channels
from tasks.probes import GateProbe, HostsProbe, administrator, rancher_url, vault
from tasks.progress import progress
from tasks.retries import PATIENCE_S, if_temporary

FIRST_STAGE = "first server"
SECURE_STAGE = "access control"
GROW_STAGE = "all servers"
SERVER_STAGES = (FIRST_STAGE, SECURE_STAGE, GROW_STAGE)
SET_UP_STAGE = "environments"
HOSTS_STAGE = "hosts"

# Keys and environments change their state within a second or two.
SET_UP_INTERVAL_S = 2.0

SAY_AGAIN = timedelta(seconds=10)


def start_first_server(spec: ClusterSpec, control: ControlPlaneOutputs) -> list[Step]:
    """Start the first server alone, behind the gate; where servers live, they must pass it."""
    with progress().stage(FIRST_STAGE):
        size, *_ = find_sizes(spec, control)
        step = scale_servers(spec, control, size)
        await_gate(spec, control, size, FIRST_STAGE)
        return [step]


def start_other_servers(spec: ClusterSpec, control: ControlPlaneOutputs) -> list[Step]:
    """Give the servers their full number, behind the gate; nothing, where they have it."""
    with progress().stage(GROW_STAGE):
        _, *sizes = find_sizes(spec, control)
        steps = []
        for size in sizes:
            steps.append(scale_servers(spec, control, size))
            await_gate(spec, control, size, GROW_STAGE)
        return steps


@task(
    task_run_name="size-{control.group_name}",
    tags=["aws"],
    retries=2,
    retry_delay_seconds=PATIENCE_S,
    retry_condition_fn=if_temporary,
    cache_policy=NO_CACHE,
)
def find_sizes(spec: ClusterSpec, control: ControlPlaneOutputs) -> tuple[int, ...]:
    """Return the sizes that the servers' group has to go through, in order."""
    group = read_group(connect.aws(spec.aws), control.group_name)
    return sizes_to_pass(group.desired, spec.control.count)


@task(
    task_run_name="scale-{control.group_name}-to-{size}",
    tags=["aws"],
    retries=2,
    retry_delay_seconds=PATIENCE_S,
    retry_condition_fn=if_temporary,
    cache_policy=NO_CACHE,
)
def scale_servers(spec: ClusterSpec, control: ControlPlaneOutputs, size: int) -> Step:
    """Give the servers' group its size, unless it has it."""
    changed = scale_group(connect.aws(spec.aws), control.group_name, size)
    return Step(f"{control.group_name} at {size}", Did.CHANGED if changed else Did.KEPT)


@task(
    task_run_name="await-gate-of-{size}",
    tags=["rancher"],
    retries=2,
    retry_delay_seconds=PATIENCE_S,
    retry_condition_fn=if_temporary,
    cache_policy=NO_CACHE,
)
def await_gate(spec: ClusterSpec, control: ControlPlaneOutputs, size: int, stage: str) -> None:
    """Wait until so many servers are one cluster behind the load balancer."""
    settings = connect.settings()
    wait_until(
        f"{control.url} served by {size}",
        GateProbe(connect.aws(spec.aws), spec, control, size),
        deadline=timedelta(seconds=settings.gate_deadline_s),
        interval=timedelta(seconds=settings.gate_interval_s),
        passes=settings.gate_passes,
        on_wait=_Teller(stage),
    )


@task(
    task_run_name="secure-{spec.name}",
    tags=["rancher"],
    retries=2,
    retry_delay_seconds=PATIENCE_S,
    retry_condition_fn=if_temporary,
    cache_policy=NO_CACHE,
)
def secure_rancher(spec: ClusterSpec, control: ControlPlaneOutputs) -> list[Step]:
    """Make an administrator's key, and let nobody in without one; what is there is kept.

    Until then Rancher takes everybody for an administrator, so nothing is waited for before it.
    """
    with progress().stage(SECURE_STAGE):
        return list(_set_up(spec, control).secure(spec.rancher.environments))


@task(
    task_run_name="make-environments-of-{spec.name}",
    tags=["rancher"],
    retries=2,
    retry_delay_seconds=PATIENCE_S,
    retry_condition_fn=if_temporary,
    cache_policy=NO_CACHE,
)
def make_environments(spec: ClusterSpec, control: ControlPlaneOutputs) -> list[Step]:
    """Give Rancher its address, its environments and their keys; what is there is kept.

    With a key, hosts get the addresses of the cluster's alert channels; a channel without one is
    said, and holds nobody up.
    """
    found, missing = channels(spec)
    for sentence in missing:
        get_run_logger().warning("Hosts will not tell everybody of their troubles: %s", sentence)
    with progress().stage(SET_UP_STAGE):
        set_up = _set_up(spec, control, [channel.url for channel in found])
        return list(set_up.furnish(spec.rancher.environments))


@task(
    task_run_name="await-hosts-of-{spec.name}",
    tags=["rancher"],
    retries=2,
    retry_delay_seconds=PATIENCE_S,
    retry_condition_fn=if_temporary,
    cache_policy=NO_CACHE,
)
def await_hosts(spec: ClusterSpec, control: ControlPlaneOutputs) -> list[Host]:
    """Wait until every pool has its minimum of active hosts, and return all hosts."""
    settings = connect.settings()
    names = [environment.name for environment in spec.rancher.environments]
    session = connect.aws(spec.aws)
    projects = project_ids(names, administrator(spec, session).projects())
    probe = HostsProbe(session, spec, projects)
    with progress().stage(HOSTS_STAGE):
        wait_until(
            f"hosts of {control.url}",
            probe,
            deadline=timedelta(seconds=settings.hosts_deadline_s),
            interval=timedelta(seconds=settings.gate_interval_s),
            on_wait=_Teller(HOSTS_STAGE),
        )
    return probe.hosts


def _set_up(
    spec: ClusterSpec, control: ControlPlaneOutputs, alerts: Sequence[SecretStr] = ()
) -> SetUp:
    settings = connect.settings()
    patience = Patience(
        deadline=timedelta(seconds=settings.gate_deadline_s),
        interval=timedelta(seconds=min(SET_UP_INTERVAL_S, settings.gate_interval_s)),
    )
    return SetUp(
        spec.name,
        vault(spec, connect.aws(spec.aws)),
        public_url=control.url,
        reached_at=rancher_url(spec),
        patience=patience,
        alerts=alerts,
    )


class _Teller:
    """Says in log and progress what is waited for: what is new at once, the rest seldom."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._log = get_run_logger()
        self._failures: Sequence[str] = ()
        self._said_at = -SAY_AGAIN

    def __call__(self, waiting: Waiting) -> None:
        """Hear what is waited for."""
        progress().move(self._stage, min(0.9, waiting.waited / waiting.deadline), str(waiting))
        if waiting.failures != self._failures or waiting.waited > self._said_at + SAY_AGAIN:
            self._failures, self._said_at = waiting.failures, waiting.waited
            self._log.info("%s", waiting)
