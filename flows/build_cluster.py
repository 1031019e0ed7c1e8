"""The story of a build: stacks in their order, HA behind its gate, set-up, pools, last gate."""

from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from corral.domain.stacks import ControlPlane, Database, HostPool, SecurityGroups, Vpc
from tasks.clusters import check_prerequisites, ensure_state_bucket, load_cluster
from tasks.rancher import await_hosts, initialise_ha, set_up_rancher
from tasks.reports import end_of_build, publish_build
from tasks.terraform import Applied, apply_side_by_side, apply_stack

ClusterName = Annotated[
    str,
    Field(
        title="Cluster",
        description="Name of a file in deployments/clusters, without its ending.",
        examples=["lab", "dev", "prod"],
    ),
]
Allowed = Annotated[
    list[str],
    Field(
        title="May be destroyed or replaced",
        description="Addresses of Terraform resources, as `database:aws_db_instance.this`. Leave it"
        " empty unless a run was refused and you want what it named.",
    ),
]


@flow(name="build-cluster", flow_run_name="build-{cluster}")
def build_cluster(cluster: ClusterName, allow: Allowed = []) -> State:  # noqa: B006 - Prefect's form
    """Build one highly available Rancher; or finish, change or confirm the one that is there."""
    spec = load_cluster(cluster)
    check_prerequisites(spec)
    ensure_state_bucket(spec)

    vpc = apply_stack(Vpc.of(spec), allow)
    groups = apply_stack(SecurityGroups.of(spec, vpc.outputs), allow)
    database = apply_stack(Database.of(spec, vpc.outputs, groups.outputs), allow)
    control = apply_stack(
        ControlPlane.of(spec, vpc.outputs, groups.outputs, database.outputs), allow
    )

    steps = initialise_ha(spec, control.outputs)
    steps += set_up_rancher(spec, control.outputs)

    pools = apply_side_by_side(
        [
            HostPool.of(spec, vpc.outputs, groups.outputs, control.outputs, pool)
            for pool in spec.pools
        ],
        allow,
    )
    hosts = await_hosts(spec, control.outputs)

    stacks: list[Applied[Any]] = [vpc, groups, database, control, *pools]
    publish_build(spec, stacks, hosts)
    return end_of_build(spec, stacks, steps)
