"""Prefect's view of Rancher: servers behind their gate, access, environments, joined hosts."""

from datetime import timedelta
from itertools import chain

from prefect import get_run_logger

from corral.clients.aws import read_group, resume_replacing, scale_group
from corral.clients.rancher import Patience, Site
from corral.clients.rancher.set_up import (
    ensure_environments,
    ensure_settings,
)
from corral.cluster import ClusterSpec
from corral.domain.gate import sizes_to_pass
from corral.domain.hosts import Host
from corral.domain.set_up.environments import project_ids
from corral.domain.set_up.steps import Did, Step
from corral.domain.stacks import ControlPlaneOutputs
from tasks import connect
from tasks.alerts import channels
from tasks.probes import GateProbe, HostsProbe, administrator, rancher_url, vault
from tasks.progress import progress
from tasks.retries import patient_task
from tasks.waiting import Teller, told, wait_for

FIRST_STAGE = "first server"
SECURE_STAGE = "access control"
GROW_STAGE = "all servers"
SERVER_STAGES = (FIRST_STAGE, SECURE_STAGE, GROW_STAGE)
SET_UP_STAGE = "environments"
HOSTS_STAGE = "hosts"
STACKS_STAGE = "catalog stacks"

# Keys and environments change their state within a second or two.
SET_UP_INTERVAL_S = 2.0


def start_first_server(
    spec: ClusterSpec, control: ControlPlaneOutputs, longer_s: float = 0.0
) -> list[Step]:
    """Start the first server alone, behind the gate; where servers live, they must pass it.

    Args:
        spec: The cluster.
        control: Its control plane.
        longer_s: Seconds that the gate waits beyond its own, where a database has to be migrated.

    """
    with progress().stage(FIRST_STAGE):
        size, *_ = find_sizes(spec, control)
        step = scale_servers(spec, control, size)
        await_gate(spec, control, size, FIRST_STAGE, longer_s)
        return [step]


def start_other_servers(spec: ClusterSpec, control: ControlPlaneOutputs) -> list[Step]:
    """Give the servers their full number, behind the gate; nothing, where they have it."""
    with progress().stage(GROW_STAGE):
        _, *sizes = find_sizes(spec, control)
        steps = []
        for size in sizes:
            steps.append(scale_servers(spec, control, size))
            await_gate(spec, control, size, GROW_STAGE)
        let_group_replace(spec, control)
        return steps


@patient_task("size-{control.group_name}", "aws")
def find_sizes(spec: ClusterSpec, control: ControlPlaneOutputs) -> tuple[int, ...]:
    """Return the sizes that the servers' group has to go through, in order."""
    group = read_group(connect.aws(spec.aws), control.group_name)
    return sizes_to_pass(group.desired, spec.control.count)


@patient_task("scale-{control.group_name}-to-{size}", "aws")
def scale_servers(spec: ClusterSpec, control: ControlPlaneOutputs, size: int) -> Step:
    """Give the servers' group its size, unless it has it."""
    changed = scale_group(connect.aws(spec.aws), control.group_name, size)
    return Step(f"{control.group_name} at {size}", Did.CHANGED if changed else Did.KEPT)


@patient_task("await-gate-of-{size}", "rancher")
def await_gate(
    spec: ClusterSpec, control: ControlPlaneOutputs, size: int, stage: str, longer_s: float = 0.0
) -> None:
    """Wait until so many servers are one cluster behind the load balancer."""
    settings = connect.settings()
    wait_for(
        f"{control.url} served by {size}",
        GateProbe(connect.aws(spec.aws), spec, control, size),
        settings.gate_deadline_s + longer_s,
        Teller(stage),
        passes=settings.gate_passes,
    )


@patient_task("let-{control.group_name}-replace", "aws")
def let_group_replace(spec: ClusterSpec, control: ControlPlaneOutputs) -> None:
    """Have the servers' group replace sick ones, which an upgrade that died may have forbidden."""
    if resume_replacing(connect.aws(spec.aws), control.group_name):
        get_run_logger().info("%s replaces sick servers again", control.group_name)


@patient_task("make-environments-of-{spec.name}", "rancher")
def make_environments(spec: ClusterSpec) -> list[Step]:
    """Give Rancher its address, its environments and their keys; what is there is kept.

    With a key, hosts get the addresses of the cluster's alert channels; a channel without one is
    said, and holds nobody up.
    """
    found, missing = channels(spec)
    for sentence in missing:
        get_run_logger().warning("Hosts will not tell everybody of their troubles: %s", sentence)
    with progress().stage(SET_UP_STAGE):
        site, alerts = rancher_site(spec), [channel.url for channel in found]
        steps = ensure_settings(site, spec.rancher.settings)
        return told(chain(steps, ensure_environments(site, spec.rancher.environments, alerts)))


@patient_task("await-hosts-of-{spec.name}", "rancher")
def await_hosts(spec: ClusterSpec, control: ControlPlaneOutputs) -> list[Host]:
    """Wait until every pool has its minimum of active hosts, and return all hosts."""
    names = [environment.name for environment in spec.rancher.environments]
    session = connect.aws(spec.aws)
    projects = project_ids(names, administrator(spec, session).projects())
    probe = HostsProbe(session, spec, projects)
    with progress().stage(HOSTS_STAGE):
        deadline_s = connect.settings().hosts_deadline_s
        wait_for(f"hosts of {control.url}", probe, deadline_s, Teller(HOSTS_STAGE))
    return probe.hosts


def rancher_site(spec: ClusterSpec) -> Site:
    """Return the cluster's Rancher as what is set up."""
    settings = connect.settings()
    patience = Patience(
        deadline=timedelta(seconds=settings.gate_deadline_s),
        interval=timedelta(seconds=min(SET_UP_INTERVAL_S, settings.gate_interval_s)),
    )
    return Site(
        spec.name,
        vault(spec, connect.aws(spec.aws)),
        public_url=spec.url,
        reached_at=rancher_url(spec),
        patience=patience,
    )
