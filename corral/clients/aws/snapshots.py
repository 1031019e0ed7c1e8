"""Snapshots of databases: taken once for each name, looked up, listed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import boto3

from corral.clients.aws.calls import CONFIG, translated
from corral.errors import AwsError, PrerequisiteError

AVAILABLE = "available"
MANUAL = "manual"
AUTOMATED = "automated"

_TAKEN = "DBSnapshotAlreadyExists"
_UNKNOWN = "DBSnapshotNotFound"
_BUSY = "InvalidDBInstanceState"
"""Codes of RDS's answers. Source: RDS API reference, CreateDBSnapshot and DescribeDBSnapshots."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot of a database instance.

    `kind` is `manual` or `automated`, `status` `creating`, `available`, `failed` or `deleting`;
    `created` is None until RDS has begun to copy.
    """

    name: str
    instance: str
    kind: str
    status: str
    percent: int
    created: datetime | None
    arn: str = ""
    resource_id: str = ""
    """RDS's own id of the instance, which no other ever has: names are taken again."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_available(self) -> bool:
        """Whether a database can be restored from it."""
        return self.status == AVAILABLE


def take_snapshot(
    session: boto3.Session, instance: str, name: str, tags: Mapping[str, str]
) -> bool:
    """Begin a snapshot of an instance.

    Args:
        session: In the instance's region.
        instance: Identifier of the database.
        name: Of the snapshot: letters, digits and single hyphens, unique in account and region.
        tags: Of the snapshot; those of the instance are not copied.

    Returns:
        Whether it was begun now: False if there is one of that name, or the instance is busy with
        something that has to end first.

    """
    try:
        with translated("rds"):
            session.client("rds", config=CONFIG).create_db_snapshot(
                DBInstanceIdentifier=instance,
                DBSnapshotIdentifier=name,
                Tags=[{"Key": key, "Value": value} for key, value in sorted(tags.items())],
            )
    except AwsError as error:
        if error.code in (_TAKEN, _BUSY):
            return False
        raise
    return True


def read_snapshot(session: boto3.Session, name: str) -> Snapshot | None:
    """Return a snapshot; None if there is none of that name."""
    try:
        found = _describe(session, {"DBSnapshotIdentifier": name})
    except AwsError as error:
        if error.code == _UNKNOWN:
            return None
        raise
    return next(iter(found), None)


def list_snapshots(session: boto3.Session, instance: str, kind: str = "") -> list[Snapshot]:
    """Return the snapshots of an instance, the newest first; one that only begins is newest.

    Args:
        session: In the instance's region.
        instance: Identifier of the database, which may be gone by now.
        kind: `manual` or `automated`; "" is both.

    """
    found = _describe(session, {"DBInstanceIdentifier": instance})
    found = [one for one in found if not kind or one.kind == kind]
    fresh = [one for one in found if one.created is None]
    dated = [(one.created, one) for one in found if one.created is not None]
    return [*fresh, *(one for _, one in sorted(dated, key=lambda pair: pair[0], reverse=True))]


def newest_snapshot(session: boto3.Session, instance: str, kind: str = "") -> Snapshot | None:
    """Return the newest snapshot that an instance can be restored from; None if there is none."""
    found = list_snapshots(session, instance, kind)
    return next((one for one in found if one.is_available), None)


def tag_snapshot(session: boto3.Session, name: str, tags: Mapping[str, str]) -> bool:
    """Write further tags on a snapshot; False if it has them, or is not there any more."""
    known = read_snapshot(session, name)
    if known is None or tags.items() <= known.tags.items():
        return False
    with translated("rds"):
        session.client("rds", config=CONFIG).add_tags_to_resource(
            ResourceName=known.arn,
            Tags=[{"Key": key, "Value": value} for key, value in sorted(tags.items())],
        )
    return True


def check_snapshot(snapshot: Snapshot, instance: str) -> None:
    """See to it that a snapshot is of an instance, and can still become available.

    Raises:
        PrerequisiteError: It is another's, or it came to nothing.
    """
    if snapshot.instance != instance:
        raise PrerequisiteError(
            f"The snapshot {snapshot.name} is of {snapshot.instance} and not of {instance}: rename"
            " or remove it, then run again."
        )
    if snapshot.status not in (AVAILABLE, "creating", "modifying"):
        raise PrerequisiteError(
            f"The snapshot {snapshot.name} of {instance} is {snapshot.status}: remove it, then run"
            " again."
        )


def _describe(session: boto3.Session, filters: Mapping[str, Any]) -> list[Snapshot]:
    with translated("rds"):
        pages = session.client("rds", config=CONFIG).get_paginator("describe_db_snapshots")
        return [_plain(row) for page in pages.paginate(**filters) for row in page["DBSnapshots"]]


def _plain(row: Mapping[str, Any]) -> Snapshot:
    return Snapshot(
        name=row["DBSnapshotIdentifier"],
        instance=row["DBInstanceIdentifier"],
        kind=row.get("SnapshotType", MANUAL),
        status=row["Status"],
        percent=row.get("PercentProgress", 0),
        created=row.get("SnapshotCreateTime"),
        arn=row["DBSnapshotArn"],
        resource_id=row.get("DbiResourceId", ""),
        tags={tag["Key"]: tag["Value"] for tag in row.get("TagList", [])},
    )
