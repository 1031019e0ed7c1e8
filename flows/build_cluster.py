"""The story of a build: stacks, one server, shut, then all of them, furnished, pools, hosts."""

from collections.abc import Sequence
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from corral.domain.stacks import ControlPlane, Database, HostPool, SecurityGroups, Vpc
from tasks.access import secure_rancher
from tasks.clusters import check_prerequisites, ensure_state_bucket, load_cluster, read_consent
from tasks.crashes import settle_crashes
from tasks.databases import read_standing
from tasks.furnishing import check_furnishing, deploy_stacks, furnish_rancher
from tasks.rancher import await_hosts, start_first_server, start_other_servers
from tasks.reports import end_of_build, publish_build, publish_set_up
from tasks.rolling import roll_pools
from tasks.terraform import Applied, apply_side_by_side, apply_stack
from tasks.turns import take_turn
from tasks.unfinished import check_finished

NAME = "build-cluster"


@flow(name=NAME, flow_run_name="build-{cluster}")
def build_cluster(cluster: str, approvals: Sequence[str] = (), ask: bool = True) -> State[str]:  # noqa: FBT001, FBT002 - a parameter of a deployment
    """Build one highly available Rancher; or finish, change or confirm the one that is there.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.
        approvals: What may be destroyed, replaced or restarted, each as a run that was refused
            named it: database:aws_db_instance.this, with " until 2026-12-01" behind it for what is
            protected; leave it empty otherwise.
        ask: Whether the run pauses with a form if a plan needs an approval that is not among these;
            without, it fails at once and says which.

    """
    spec = load_cluster(cluster)
    take_turn(spec)
    consent = read_consent(spec, approvals, ask=ask)
    check_prerequisites(spec)
    ensure_state_bucket(spec)
    check_finished(spec)

    vpc = apply_stack(Vpc.of(spec), consent)
    groups = apply_stack(SecurityGroups.of(spec, vpc.outputs), consent)
    below = vpc.outputs, groups.outputs
    database = apply_stack(Database.of(spec, *below, read_standing(spec)), consent)
    control = apply_stack(ControlPlane.of(spec, *below, database.outputs), consent)

    steps = start_first_server(spec, control.outputs)
    steps += secure_rancher(spec)
    steps += start_other_servers(spec, control.outputs)
    check_furnishing(spec)
    steps += furnish_rancher(spec)

    wanted = [HostPool.of(spec, *below, control.outputs, pool) for pool in spec.pools]
    pools = apply_side_by_side(wanted, consent)
    steps += roll_pools(spec)
    hosts = await_hosts(spec, control.outputs)
    steps += deploy_stacks(spec)

    stacks: list[Applied[Any]] = [vpc, groups, database, control, *pools]
    publish_build(spec, stacks, hosts)
    publish_set_up(spec, steps)
    settle_crashes(spec, NAME)
    return end_of_build(spec, stacks, steps)
