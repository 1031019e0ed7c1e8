"""Prefect's view of a drill: the database is restored, looked into, and thrown away again."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import boto3
from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Completed

from corral.clients import aws
from corral.cluster import ClusterSpec
from corral.domain.restores import DRILL, RUN, DatabaseFacts, Source, drill_shape
from corral.domain.stacks import Database
from corral.domain.standing import Standing
from corral.errors import PrerequisiteError
from tasks import connect
from tasks.instances import restore_into, throw_away
from tasks.liveness import bury_if_dead, leave_trace
from tasks.progress import progress
from tasks.retries import patient_task
from tasks.waiting import Teller

CLEAN_STAGE = "remains of other drills"
DRILL_STAGE = "restore"

LENGTH = 20
"""Bytes of the throw-away password, which nobody but the drill learns."""


@dataclass(frozen=True)
class Drilled:
    """What came of a drill."""

    moment: datetime
    """What was restored: the newest that the backups reach."""
    seconds: float
    """From the first call until Rancher's tables were seen."""
    facts: DatabaseFacts


@patient_task("clear-drills-of-{spec.name}", "aws")
def remove_remains(spec: ClusterSpec) -> list[str]:
    """Throw away what drills that died have left, and return the names.

    Raises:
        GateTimeoutError: Something is still there.
    """
    session = connect.aws(spec.aws)
    aws.check_account(session, spec.aws.account_id)
    with progress().stage(CLEAN_STAGE), get_client(sync_client=True) as client:
        leave_trace(client, UUID(flow_run.id))
        drilled = aws.find_instances(session, DRILL | {"Cluster": spec.name})
        remains = [each.identifier for each in drilled if _is_over(client, each.tags.get(RUN, ""))]
        for name in remains:
            get_run_logger().info("%s is left from a drill that died", name)
            throw_away(session, name, Teller(CLEAN_STAGE))
        return remains


@patient_task("find-newest-moment-of-{spec.name}", "aws")
def newest_moment(spec: ClusterSpec, standing: Standing) -> datetime:
    """Return the newest moment that the database can be restored to.

    It takes both a nightly backup and the log of what came after to do that.

    Raises:
        PrerequisiteError: There is none.
    """
    instance = aws.read_instance(connect.aws(spec.aws), standing.identifier)
    if instance is None or instance.restorable is None:
        raise PrerequisiteError(
            f"The database {standing.identifier} has no backups to restore from: see that they are"
            " made, with database.backup_days in the cluster file."
        )
    return instance.restorable


@task(task_run_name="drill-{spec.name}", tags=["aws"], cache_policy=NO_CACHE)
def carry_out(spec: ClusterSpec, stack: Database, standing: Standing, moment: datetime) -> Drilled:
    """Restore a moment of the database into an instance of its own, look into it, throw it away.

    Never retried as a whole: its time is what is asked for.

    Raises:
        GateTimeoutError: It was not there in time, or did not go.
        PrerequisiteError: It cannot be reached from here, or holds no Rancher.
    """
    session, tell = connect.aws(spec.aws), Teller(DRILL_STAGE)
    shape, began = drill_shape(stack, datetime.now(UTC), flow_run.id), time.monotonic()
    with progress().stage(DRILL_STAGE), _thrown_away(session, shape.identifier, tell):
        facts = restore_into(
            session,
            Source(moment=moment),
            shape,
            origin=standing.identifier,
            password=secrets.token_hex(LENGTH),
            tell=tell,
        )
        seconds = time.monotonic() - began
    return Drilled(moment, round(seconds, 1), facts)


def publish_drill(spec: ClusterSpec, drilled: Drilled) -> None:
    """Leave what came of a drill in the UI: a history, since each run adds its own."""
    rows = [
        {"what": "restored to", "value": f"{drilled.moment:%Y-%m-%dT%H:%M:%SZ}"},
        {"what": "seconds until Rancher's tables were seen", "value": str(drilled.seconds)},
        {"what": "what was in it", "value": str(drilled.facts)},
    ]
    create_table_artifact(rows, key=f"restore-drill-{spec.name}")


def end_of_drill(spec: ClusterSpec, drilled: Drilled) -> State[float]:
    """Return `Restorable`, with the time it took."""
    message = (
        f"The database of {spec.name} can be restored: that of {drilled.moment:%Y-%m-%d %H:%M:%S}"
        f" UTC took {drilled.seconds:.0f} s until it answered, with {drilled.facts}. The instance"
        " is gone again."
    )
    return Completed(name="Restorable", message=message, data=drilled.seconds)


def _is_over(client: SyncPrefectClient, run_id: str) -> bool:
    """Say whether a drill's run is over, and ends it if it was killed."""
    try:
        return bool(bury_if_dead(client, client.read_flow_run(UUID(run_id))))
    except (ObjectNotFound, ValueError):
        return True


@contextmanager
def _thrown_away(session: boto3.Session, name: str, tell: Teller) -> Iterator[None]:
    try:
        yield
    finally:
        throw_away(session, name, tell)
