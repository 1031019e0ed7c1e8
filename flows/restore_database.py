"""The story of a restore: a new instance is made and looked into, then it takes over."""

from collections.abc import Sequence

from prefect import flow
from prefect.client.schemas.objects import State

from corral.domain.restores import read_source
from corral.domain.stacks import ControlPlane, Database
from tasks.built import read_built_stack, read_network
from tasks.clusters import load_built_cluster, read_consent
from tasks.crashes import settle_crashes
from tasks.databases import read_standing
from tasks.rancher import FIRST_STAGE, GROW_STAGE, start_first_server, start_other_servers
from tasks.restore_reports import end_of_restore, find_refusal, publish_restore, refused
from tasks.restores import (
    RESTORE_STAGE,
    SWITCH_STAGE,
    let_go_of_old,
    make_instance,
    prepare_restore,
    write_down,
    write_end,
)
from tasks.servers import STOP_STAGE, stop_servers
from tasks.terraform import apply_stack
from tasks.turns import take_turn

NAME = "restore-database"
STAGES = (
    *(RESTORE_STAGE, STOP_STAGE, SWITCH_STAGE),
    *(Database.folder, ControlPlane.folder, FIRST_STAGE, GROW_STAGE),
)


@flow(name=NAME, flow_run_name="restore-{cluster}")
def restore_database(
    cluster: str,
    snapshot: str = "",
    point_in_time: str = "",
    confirm: str = "",
    approvals: Sequence[str] = (),
    ask: bool = True,  # noqa: FBT001, FBT002
) -> State[str]:
    """Give Rancher the data of a snapshot or of a moment, in a new instance; the old one is kept.

    A run that died is finished by the next with the same parameters.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.
        snapshot: Name of a snapshot of the cluster's database, of whatever kind.
        point_in_time: Instead of a snapshot: a moment with its time zone, as 2026-12-01T08:30:00Z.
        confirm: The cluster's name; without it the run shows what would happen, and pauses until
            somebody types it.
        approvals: Changes that still wait in the stacks of database and control plane, each as a
            run that was refused named it; leave it empty otherwise.
        ask: Whether the run pauses with a form; without, it ends at once and says what it lacks.

    """
    spec = load_built_cluster(cluster, STAGES)
    take_turn(spec)
    consent = read_consent(spec, approvals, ask=ask)
    source, standing = read_source(snapshot, point_in_time), read_standing(spec)
    restore = prepare_restore(spec, standing, source)
    if refusal := find_refusal(spec, restore, confirm, ask=ask):
        return refused(spec, refusal)

    below = read_network(spec)
    wanted = Database.of(spec, *below, restore.standing(standing))
    restore = write_down(spec, restore.agreed())
    facts = make_instance(spec, wanted, restore, source)

    if not restore.switched:
        known = read_built_stack(wanted)
        stop_servers(spec, read_built_stack(ControlPlane.of(spec, *below, known)))
        let_go_of_old(spec, wanted, restore)
    database = apply_stack(wanted, consent)
    restore = write_down(spec, restore.after_switch())
    # The cluster file may have gone back to the version that the data is of.
    control = apply_stack(ControlPlane.of(spec, *below, database.outputs), consent)

    start_first_server(spec, control.outputs)
    start_other_servers(spec, control.outputs)
    publish_restore(spec, restore, facts)
    write_end(spec, restore)
    settle_crashes(spec, NAME)
    return end_of_restore(spec, restore)
