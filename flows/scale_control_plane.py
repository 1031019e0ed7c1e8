"""The story of another number of servers: too many go, the stacks learn it, then the others come.

The database must allow for the connections of all servers that there are, and the group must not
be told that it may have fewer than it has.
"""

from collections.abc import Sequence

from prefect import flow
from prefect.client.schemas.objects import State

from corral.domain.stacks import ControlPlane, Database
from tasks.built import read_built_stack, read_network
from tasks.clusters import load_built_cluster, read_consent
from tasks.crashes import settle_crashes
from tasks.databases import read_standing
from tasks.living import check_servers
from tasks.rancher import GROW_STAGE
from tasks.server_reports import end_of_scale, publish_servers
from tasks.servers import SHRINK_STAGE, grow_servers, shrink_servers
from tasks.terraform import apply_stack
from tasks.turns import take_turn

NAME = "scale-control-plane"
STAGES = (SHRINK_STAGE, Database.folder, ControlPlane.folder, GROW_STAGE)


@flow(name=NAME, flow_run_name="scale-{cluster}")
def scale_control_plane(
    cluster: str,
    approvals: Sequence[str] = (),
    ask: bool = True,  # noqa: FBT001, FBT002 - a parameter of a deployment
) -> State[str]:
    """Give Rancher as many servers as the cluster file says, one more or one fewer at a time.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.
        approvals: What may be destroyed, replaced or restarted, as for build-cluster.
        ask: Whether the run pauses with a form if a plan needs an approval that is not among these.

    """
    spec = load_built_cluster(cluster, STAGES)
    take_turn(spec)
    consent = read_consent(spec, approvals, ask=ask)
    check_servers(spec, any_number=True)

    below = read_network(spec)
    wanted = Database.of(spec, *below, read_standing(spec))
    present = read_built_stack(wanted)
    before = read_built_stack(ControlPlane.of(spec, *below, present))

    steps = shrink_servers(spec, before)
    database = apply_stack(wanted, consent)
    control = apply_stack(ControlPlane.of(spec, *below, database.outputs), consent)
    steps += grow_servers(spec, control.outputs)

    publish_servers(spec, control.outputs)
    settle_crashes(spec, NAME)
    return end_of_scale(spec, [database, control], steps)
