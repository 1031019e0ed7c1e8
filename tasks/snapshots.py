"""Prefect's view of a snapshot: taken under a name, once, and waited for until it is of use."""

from collections.abc import Callable, Mapping

import boto3

from corral.clients.aws import check_snapshot, read_snapshot, take_snapshot
from corral.clients.polling import Waiting, say_nothing
from corral.cluster import ClusterSpec
from tasks import connect
from tasks.retries import patient_task
from tasks.waiting import Teller, wait_for

SNAPSHOT_STAGE = "snapshot"


@patient_task("snapshot-{instance}-as-{name}", "aws")
def snapshot_database(
    spec: ClusterSpec, instance: str, name: str, tags: Mapping[str, str] | None = None
) -> str:
    """Have a snapshot of an instance that a database can be restored from, and return its name.

    One of that name which is there already is only waited for.

    Raises:
        GateTimeoutError: It was not available in time.
        PrerequisiteError: One of that name is another instance's, or came to nothing.
    """
    session = connect.aws(spec.aws)
    owned = {"Cluster": spec.name, "ManagedBy": "corral", **(tags or {})}
    await_snapshot(session, instance, name, owned, Teller(SNAPSHOT_STAGE))
    return name


def await_snapshot(
    session: boto3.Session,
    instance: str,
    name: str,
    tags: Mapping[str, str],
    tell: Callable[[Waiting], None] = say_nothing,
) -> None:
    """Take a snapshot, unless there is one of that name, and wait until it is available."""

    def look() -> list[str]:
        known = read_snapshot(session, name)
        if known is None:
            begun = take_snapshot(session, instance, name, tags)
            return ["it begins" if begun else f"{instance} is busy with something else"]
        check_snapshot(known, instance)
        return [] if known.is_available else [f"it is {known.status}, {known.percent} %"]

    deadline_s = connect.settings().snapshot_deadline_s
    wait_for(f"snapshot {name} of {instance}", look, deadline_s, tell)
