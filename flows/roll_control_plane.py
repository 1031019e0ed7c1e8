"""The story of a roll: what servers start from is brought up to date, then they are, one by one."""

from collections.abc import Sequence

from prefect import flow
from prefect.client.schemas.objects import State

from corral.domain.servers import Renewal
from corral.domain.stacks import ControlPlane
from tasks.built import read_database, read_network
from tasks.clusters import load_built_cluster, read_consent
from tasks.crashes import settle_crashes
from tasks.living import check_servers
from tasks.server_reports import end_of_roll, publish_servers
from tasks.servers import ROLL_STAGE, roll_servers
from tasks.terraform import apply_stack
from tasks.turns import take_turn

NAME = "roll-control-plane"
STAGES = (ControlPlane.folder, ROLL_STAGE)


@flow(name=NAME, flow_run_name="roll-{cluster}")
def roll_control_plane(
    cluster: str,
    all_servers: bool = False,  # noqa: FBT001, FBT002 - a parameter of a deployment
    approvals: Sequence[str] = (),
    ask: bool = True,  # noqa: FBT001, FBT002
) -> State[str]:
    """Replace Rancher's servers that are outdated, one after another, while the others serve.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.
        all_servers: Whether those that are up to date are replaced as well.
        approvals: What may be destroyed, replaced or restarted, as for build-cluster.
        ask: Whether the run pauses with a form if a plan needs an approval that is not among these.

    """
    spec = load_built_cluster(cluster, STAGES)
    take_turn(spec)
    consent = read_consent(spec, approvals, ask=ask)
    check_servers(spec)

    below = read_network(spec)
    database = read_database(spec, below)
    control = apply_stack(ControlPlane.of(spec, *below, database), consent)

    rolled = roll_servers(spec, control.outputs, Renewal(all=all_servers))
    publish_servers(spec, control.outputs)
    settle_crashes(spec, NAME)
    return end_of_roll(spec, [control], rolled)
