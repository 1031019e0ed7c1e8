"""The story of a password: another is made, stored and set, then servers come back with it."""

from collections.abc import Sequence

from prefect import flow
from prefect.client.schemas.objects import State

from corral.domain.passwords import Step
from corral.domain.stacks import ControlPlane, Database
from tasks.built import read_built_stack, read_network
from tasks.clusters import load_built_cluster, read_consent
from tasks.crashes import settle_crashes
from tasks.databases import read_standing
from tasks.living import check_servers
from tasks.passwords import (
    PASSWORD_STAGE,
    await_password,
    consent_to_change,
    end_of_change,
    look_at_password,
    servers_before,
    standing_with,
)
from tasks.servers import ROLL_STAGE, roll_servers
from tasks.terraform import apply_stack
from tasks.turns import take_turn

NAME = "rotate-database-password"
STAGES = (Database.folder, PASSWORD_STAGE, ROLL_STAGE)


@flow(name=NAME, flow_run_name="rotate-password-{cluster}")
def rotate_database_password(
    cluster: str,
    approvals: Sequence[str] = (),
    ask: bool = True,  # noqa: FBT001, FBT002 - a parameter of a deployment
) -> State[str]:
    """Give the database another password, and restart Rancher's servers with it, one by one.

    A rotation that died is finished, and no further password is made.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.
        approvals: Changes that still wait in the database's stack, each as a run that was refused
            named it; leave it empty otherwise.
        ask: Whether the run pauses with a form if a plan needs an approval that is not among these.

    """
    spec = load_built_cluster(cluster, STAGES)
    take_turn(spec)
    consent = read_consent(spec, approvals, ask=ask)
    check_servers(spec)

    below, standing = read_network(spec), read_standing(spec)
    database = read_built_stack(Database.of(spec, *below, standing))
    control = read_built_stack(ControlPlane.of(spec, *below, database))

    rotation = look_at_password(spec, control)
    wanted = Database.of(spec, *below, standing_with(standing, rotation))
    if rotation.step is not Step.RESTART:
        apply_stack(wanted, consent_to_change(consent))
    await_password(spec, wanted)

    rolled = roll_servers(spec, control, servers_before(spec))
    settle_crashes(spec, NAME)
    return end_of_change(spec, rotation, rolled)
