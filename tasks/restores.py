"""Prefect's view of a restore: which one it is, and each step of it."""

from datetime import UTC, datetime

import boto3
from prefect import get_run_logger

from corral.clients import aws
from corral.clients.terraform import check_provider, find_engine
from corral.clients.terraform.letting_go import let_go
from corral.cluster import ClusterSpec
from corral.domain.restores import (
    NOTE,
    DatabaseFacts,
    Restore,
    Source,
    belongs_to,
    shape_of,
)
from corral.domain.stacks import Database
from corral.domain.standing import INSTANCE, Standing
from corral.errors import PrerequisiteError
from tasks import connect
from tasks.databases import read_password, state_of
from tasks.instances import restore_into
from tasks.progress import progress
from tasks.retries import patient_task
from tasks.stacks import Narrator, job_of, place_among_others
from tasks.waiting import Teller
from tasks.watches import watch_of

RESTORE_STAGE = "restored instance"
SWITCH_STAGE = "switch"

LOGS = "aws_cloudwatch_log_group.export"
"""Where an instance writes its logs: they stay with it."""


@patient_task("prepare-restore-of-{spec.name}", "aws")
def prepare_restore(spec: ClusterSpec, standing: Standing, source: Source) -> Restore:
    """Return the restore from this source: one that died, or else a new one.

    Raises:
        PrerequisiteError: There is no such snapshot, or the database cannot be restored to that
            moment.
    """
    settings = connect.settings()
    check_provider(find_engine(settings.terraform, settings.work_dir), settings)
    session = connect.aws(spec.aws)
    aws.check_account(session, spec.aws.account_id)
    last = last_restore(spec, session)
    if last and last.is_unfinished(source):
        get_run_logger().info("going on with the restore that began at %s", last.began)
        return last
    if source.moment is None:
        _check_snapshot(spec, session, source.snapshot)
    else:
        _check_moment(session, standing, source.moment)
    return Restore.new(spec.name, source, standing, datetime.now(UTC))


def last_restore(spec: ClusterSpec, session: boto3.Session) -> Restore | None:
    """Return the restore that was begun last, if there was ever one."""
    known = _shelf(spec, session).read(_note(spec))
    return Restore.model_validate_json(known[0]) if known else None


@patient_task("write-down-{restore.identifier}", "aws")
def write_down(spec: ClusterSpec, restore: Restore) -> Restore:
    """Keep what is known of a restore, for the run after one that dies; return the same."""
    _shelf(spec, connect.aws(spec.aws)).write(_note(spec), restore.model_dump_json(indent=2))
    return restore


@patient_task("end-restore-of-{spec.name}", "aws")
def write_end(spec: ClusterSpec, restore: Restore) -> None:
    """Write down that a restore is over: one from the same source would be another."""
    over = restore.after_end(datetime.now(UTC))
    _shelf(spec, connect.aws(spec.aws)).write(_note(spec), over.model_dump_json(indent=2))


@patient_task("make-{restore.identifier}", "aws")
def make_instance(
    spec: ClusterSpec, stack: Database, restore: Restore, source: Source
) -> DatabaseFacts:
    """Have the new instance made, with the password that servers know, and look into it.

    Raises:
        GateTimeoutError: It was not there in time, or did not let us in.
        PrerequisiteError: It cannot be reached from here, or holds no Rancher.
    """
    with progress().stage(RESTORE_STAGE):
        return restore_into(
            connect.aws(spec.aws),
            source,
            shape_of(stack),
            origin=restore.replaces,
            password=read_password(spec),
            tell=Teller(RESTORE_STAGE),
        )


@patient_task("let-go-of-{restore.replaces}", "aws", "terraform")
def let_go_of_old(spec: ClusterSpec, stack: Database, restore: Restore) -> None:
    """Have Terraform look no longer after the old instance and its logs, if it still does.

    In AWS they stay as they are. Whoever applies the stack next finds the new instance by its name,
    and takes it into the state.
    """
    known = state_of(spec).attributes
    if known.get(INSTANCE, {}).get("identifier", restore.identifier) == restore.identifier:
        return
    with progress().stage(SWITCH_STAGE), place_among_others(stack.name):
        let_go(
            job_of(stack),
            connect.settings(),
            watch_of(stack),
            addresses=[each for each in known if each.partition("[")[0] in (INSTANCE, LOGS)],
            listen=Narrator(stack.name),
        )


def _check_snapshot(spec: ClusterSpec, session: boto3.Session, name: str) -> None:
    found = aws.read_snapshot(session, name)
    if found is None:
        raise PrerequisiteError(f"There is no snapshot {name} in {spec.aws.region}.")
    if not belongs_to(found.instance, spec.name):
        raise PrerequisiteError(
            f"The snapshot {name} is of {found.instance}, which never was the database of"
            f" {spec.name}."
        )
    if not found.is_available:
        raise PrerequisiteError(f"The snapshot {name} is {found.status}: wait until it is whole.")


def _check_moment(session: boto3.Session, standing: Standing, moment: datetime) -> None:
    found = aws.read_instance(session, standing.identifier)
    if found is None:
        raise PrerequisiteError(
            f"There is no instance {standing.identifier} any more, and so no point in time to"
            " restore it to: run again with one of its snapshots."
        )
    if found.restorable is None or moment > found.restorable:
        newest = found.restorable and f"the last possible one is {found.restorable:%FT%TZ}"
        raise PrerequisiteError(
            f"{standing.identifier} cannot be restored to {moment.isoformat()}:"
            f" {newest or 'it has no backups'}."
        )


def _shelf(spec: ClusterSpec, session: boto3.Session) -> aws.StateShelf:
    return aws.StateShelf(session, spec.aws.state_bucket, spec.aws.account_id)


def _note(spec: ClusterSpec) -> str:
    return f"{spec.name}/{NOTE}"
