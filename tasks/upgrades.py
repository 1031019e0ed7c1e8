"""Prefect's view of an upgrade: what it has to do, a way back before anything, and the stacks."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from corral.clients.aws import (
    Snapshot,
    check_account,
    find_group,
    hold_replacing,
    launched_releases,
    list_snapshots,
    read_servers,
    tag_snapshot,
)
from corral.clients.rancher import RancherClient
from corral.clients.rancher.set_up import find_dead_ends, upgrade_infrastructure
from corral.cluster import ClusterSpec
from corral.domain.set_up.steps import Did, Step
from corral.domain.stacks import ControlPlaneOutputs, DatabaseOutputs
from corral.domain.standing import INSTANCE
from corral.domain.upgrades import (
    DONE_TAG,
    SOURCE_TAG,
    TARGET_TAG,
    Attempt,
    Course,
    Look,
    Upgrade,
    are_renewed,
    plan_upgrade,
)
from corral.errors import CorralError, PrerequisiteError, UpgradeError
from tasks import connect
from tasks.databases import state_of
from tasks.probes import rancher_url
from tasks.progress import progress
from tasks.rancher import rancher_site
from tasks.retries import patient_task
from tasks.servers import stop_servers
from tasks.snapshots import SNAPSHOT_STAGE, snapshot_database
from tasks.terraform import Applied
from tasks.waiting import told

INFRASTRUCTURE_STAGE = "infrastructure stacks"


@patient_task("look-at-{spec.name}", "aws", "rancher")
def look_at_upgrade(spec: ClusterSpec, database: DatabaseOutputs) -> Upgrade:
    """Return what has to be done for the version that the cluster file says; nothing is changed.

    Raises:
        PrerequisiteError: There are no servers, or their database must not meet that version.
    """
    session = connect.aws(spec.aws)
    check_account(session, spec.aws.account_id)
    if find_group(session, f"{spec.name}-control") is None:
        raise PrerequisiteError(
            f"{spec.name} has no servers of Rancher: build it, with build-cluster/{spec.name}."
        )
    look = Look(
        cluster=spec.name,
        instance=database.identifier,
        running=RancherClient(rancher_url(spec)).version(),
        attempts=open_attempts(session, state_of(spec).attributes.get(INSTANCE, {})),
    )
    upgrade = plan_upgrade(look, spec.rancher.version, datetime.now(UTC))
    if upgrade.course is Course.BEGIN:
        _check_stacks(spec, upgrade.target)
    get_run_logger().info("%s answers %s: %s", spec.url, look.running, upgrade.course)
    return upgrade


def prepare_upgrade(spec: ClusterSpec, upgrade: Upgrade) -> None:
    """Make sure of a way back, and that nobody ends a server while it migrates the database."""
    if not upgrade.is_needed:
        return
    with progress().stage(SNAPSHOT_STAGE):
        snapshot_database(spec, upgrade.instance, upgrade.snapshot, upgrade.tags)
    hold_group(spec)


@patient_task("hold-servers-of-{spec.name}", "aws")
def hold_group(spec: ClusterSpec) -> None:
    """Have the servers' group replace nobody, until all servers have passed their gate.

    A server that migrates answers nobody, for longer than a group's grace period at worst; and one
    that is replaced before the others are stopped would start with another version beside them.

    Source: rancher/rancher issue 12606: of a migration that was interrupted no server recovers.
    """
    if hold_replacing(connect.aws(spec.aws), f"{spec.name}-control"):
        get_run_logger().info("%s-control leaves sick servers as they are", spec.name)


def stop_old_servers(
    spec: ClusterSpec, control: ControlPlaneOutputs, upgrade: Upgrade
) -> list[Step]:
    """Stop all servers, unless they are those of the new version, or nothing has to be done."""
    if not upgrade.is_needed or find_renewal(spec, control, upgrade):
        return []
    return [stop_servers(spec, control)]


@patient_task("compare-servers-of-{spec.name}", "aws")
def find_renewal(spec: ClusterSpec, control: ControlPlaneOutputs, upgrade: Upgrade) -> bool:
    """Say whether the servers that are there are those of the new version."""
    session = connect.aws(spec.aws)
    group = read_servers(session, control.group_name, control.target_group_arn)
    releases = launched_releases(session, [one.version for one in group.servers])
    return are_renewed(upgrade, group.wanted, list(releases.values()))


@contextmanager
def with_way_back(upgrade: Upgrade) -> Iterator[None]:
    """Say how people get back where they were, if servers do not come up.

    Raises:
        UpgradeError: In place of any error of ours, with the way back.
    """
    try:
        yield
    except CorralError as error:
        if not upgrade.way_back:
            raise
        raised = UpgradeError(upgrade.cluster, upgrade.snapshot, upgrade.way_back, error)
        create_markdown_artifact(str(raised), key=f"way-back-{upgrade.cluster}")
        raise raised from error


@patient_task("upgrade-stacks-of-{spec.name}", "rancher")
def upgrade_stacks(spec: ClusterSpec) -> list[Step]:
    """Bring the stacks that environments are run by to what the catalog has for this Rancher."""
    with progress().stage(INFRASTRUCTURE_STAGE):
        return told(upgrade_infrastructure(rancher_site(spec), spec.rancher.environments))


@patient_task("close-upgrade-of-{spec.name}", "aws")
def close_upgrade(spec: ClusterSpec, upgrade: Upgrade) -> None:
    """Write down that an upgrade is over: none of its snapshots leads another one on."""
    session = connect.aws(spec.aws)
    done = {DONE_TAG: upgrade.target}
    for snapshot in upgrade.open:
        tag_snapshot(session, snapshot, done)


def open_attempts(session: boto3.Session, database: Mapping[str, Any]) -> tuple[Attempt, ...]:
    """Return the upgrades that were begun and are not known to have ended, the newest first.

    Args:
        session: In the database's region.
        database: Attributes of the instance in the state of its stack; none, if it has none. Those
            of an earlier one of the same name do not count.

    """
    if not database:
        return ()
    found = list_snapshots(session, database["identifier"], "manual")
    own = (one for one in found if one.resource_id == database["resource_id"])
    return tuple(_attempt(one) for one in own if _is_open(one))


def end_of_upgrade(
    spec: ClusterSpec, upgrade: Upgrade, stacks: Sequence[Applied[Any]], steps: Sequence[Step]
) -> State[str]:
    """Return `InStep` if nothing had to be done, else `Upgraded` with what was done."""
    changed = [f"{one.name}: {one.changes}" for one in stacks if not one.changes.is_empty]
    made = [str(step) for step in steps if step.did is not Did.KEPT]
    if not (upgrade.is_needed or changed or made):
        message = f"{spec.url}: Rancher {upgrade.target} and its stacks are as wanted."
        return Completed(name="InStep", message=message, data=spec.url)
    said = [f"{spec.url}: Rancher {upgrade.target}"]
    if upgrade.is_needed:
        said += [f"from {upgrade.source}", f"snapshot {upgrade.snapshot}"]
    message = "; ".join([", ".join(said), *changed, *made])
    return Completed(name="Upgraded", message=message, data=spec.url)


def _is_open(snapshot: Snapshot) -> bool:
    tags = snapshot.tags
    return SOURCE_TAG in tags and TARGET_TAG in tags and DONE_TAG not in tags


def _attempt(snapshot: Snapshot) -> Attempt:
    tags = snapshot.tags
    return Attempt(snapshot.name, tags[SOURCE_TAG], tags[TARGET_TAG], snapshot.created)


def _check_stacks(spec: ClusterSpec, target: str) -> None:
    site, environments = rancher_site(spec), spec.rancher.environments
    if faults := [*find_dead_ends(site, environments, target)]:
        raise PrerequisiteError("\n".join([*faults, "Nothing was changed."]))
