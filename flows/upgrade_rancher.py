"""The story of an upgrade: look, snapshot, all servers stop, one starts, the rest, the stacks."""

from collections.abc import Sequence

from prefect import flow
from prefect.client.schemas.objects import State

from corral.domain.stacks import ControlPlane
from tasks import connect
from tasks.built import read_database, read_network
from tasks.clusters import load_built_cluster, read_consent
from tasks.crashes import settle_crashes
from tasks.rancher import FIRST_STAGE, GROW_STAGE, start_first_server, start_other_servers
from tasks.reports import publish_set_up
from tasks.servers import STOP_STAGE
from tasks.snapshots import SNAPSHOT_STAGE
from tasks.terraform import apply_stack
from tasks.turns import take_turn
from tasks.upgrades import (
    INFRASTRUCTURE_STAGE,
    close_upgrade,
    end_of_upgrade,
    look_at_upgrade,
    prepare_upgrade,
    stop_old_servers,
    upgrade_stacks,
    with_way_back,
)

NAME = "upgrade-rancher"
STAGES = (
    SNAPSHOT_STAGE,
    ControlPlane.folder,
    STOP_STAGE,
    FIRST_STAGE,
    GROW_STAGE,
    INFRASTRUCTURE_STAGE,
)


@flow(name=NAME, flow_run_name="upgrade-{cluster}")
def upgrade_rancher(cluster: str, approvals: Sequence[str] = (), ask: bool = True) -> State[str]:  # noqa: FBT001, FBT002 - a parameter of a deployment
    """Bring Rancher to the version that the cluster file says, and its own stacks after it.

    Nobody is served from when the servers stop until the first of the new version is up.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.
        approvals: What may be destroyed, replaced or restarted, as for build-cluster.
        ask: Whether the run pauses with a form if a plan needs an approval that is not among these.

    """
    spec = load_built_cluster(cluster, STAGES)
    take_turn(spec)
    consent = read_consent(spec, approvals, ask=ask)

    below = read_network(spec)
    database = read_database(spec, below)
    upgrade = look_at_upgrade(spec, database)

    prepare_upgrade(spec, upgrade)
    control = apply_stack(ControlPlane.of(spec, *below, database), consent)
    with with_way_back(upgrade):
        steps = stop_old_servers(spec, control.outputs, upgrade)
        longer_s = connect.settings().migration_deadline_s if upgrade.is_needed else 0.0
        steps += start_first_server(spec, control.outputs, longer_s)
        steps += start_other_servers(spec, control.outputs)
    close_upgrade(spec, upgrade)

    steps += upgrade_stacks(spec)
    publish_set_up(spec, steps)
    settle_crashes(spec, NAME)
    return end_of_upgrade(spec, upgrade, [control], steps)
