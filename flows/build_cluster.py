"""The story of a build: stacks, a server behind its gate, closed, then all, pools, last gate."""

from collections.abc import Sequence
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from corral.domain.stacks import ControlPlane, Database, HostPool, SecurityGroups, Vpc
from tasks.clusters import check_prerequisites, ensure_state_bucket, load_cluster
from tasks.crashes import settle_crashes
from tasks.rancher import (
    await_hosts,
    make_environments,
    secure_rancher,
    start_first_server,
    start_other_servers,
)
from tasks.reports import end_of_build, publish_build
from tasks.terraform import Applied, apply_side_by_side, apply_stack

NAME = "build-cluster"


@flow(name=NAME, flow_run_name="build-{cluster}")
def build_cluster(cluster: str, allow: Sequence[str] = ()) -> State[str]:
    """Build one highly available Rancher; or finish, change or confirm the one that is there.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.
        allow: Resources that may be destroyed or replaced although they are protected, each as
            database:aws_db_instance.this; leave it empty, unless a run was refused and you want
            what it named.

    """
    spec = load_cluster(cluster)
    check_prerequisites(spec, allow)
    ensure_state_bucket(spec)

    vpc = apply_stack(Vpc.of(spec), allow)
    groups = apply_stack(SecurityGroups.of(spec, vpc.outputs), allow)
    below = vpc.outputs, groups.outputs
    database = apply_stack(Database.of(spec, *below), allow)
    control = apply_stack(ControlPlane.of(spec, *below, database.outputs), allow)

    steps = start_first_server(spec, control.outputs)
    steps += secure_rancher(spec, control.outputs)
    steps += start_other_servers(spec, control.outputs)
    steps += make_environments(spec, control.outputs)

    wanted = [HostPool.of(spec, *below, control.outputs, pool) for pool in spec.pools]
    pools = apply_side_by_side(wanted, allow)
    hosts = await_hosts(spec, control.outputs)

    stacks: list[Applied[Any]] = [vpc, groups, database, control, *pools]
    publish_build(spec, stacks, hosts)
    settle_crashes(spec, NAME)
    return end_of_build(spec, stacks, steps)
