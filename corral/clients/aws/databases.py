"""Database instances: looked up, restored from what there is of them, given a password, removed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3

from corral.clients.aws.calls import CONFIG, translated
from corral.domain.restores import Shape, Source
from corral.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_rds.client import RDSClient

_UNKNOWN = {"DBInstanceNotFound", "DBInstanceNotFoundFault"}
_TAKEN = {"DBInstanceAlreadyExists", "DBInstanceAlreadyExistsFault"}
_BUSY = {"InvalidDBInstanceState", "InvalidDBInstanceStateFault"}
"""Codes of RDS's answers. Source: RDS API reference, RestoreDBInstanceFromDBSnapshot."""

AVAILABLE = "available"
DELETING = "deleting"
BROKEN = frozenset(
    {"failed", "incompatible-network", "incompatible-parameters", "incompatible-restore"}
)
"""States that an instance does not leave by itself.

Source: RDS user guide, viewing DB instance status.
"""


@dataclass(frozen=True, slots=True)
class Instance:
    """One database instance.

    `address` is empty while RDS makes it; `restorable` is the last moment that it can be restored
    to, None without backups.
    """

    identifier: str
    resource_id: str
    """Its own, and no later one's of that name."""
    status: str
    address: str
    port: int
    settling: bool
    """Whether RDS has taken changes and not yet made them."""
    restorable: datetime | None
    protected: bool
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Whether it is available, with all that it was told."""
        return self.status == AVAILABLE and bool(self.address) and not self.settling


def read_instance(session: boto3.Session, identifier: str) -> Instance | None:
    """Return an instance; None if there is none of that name."""
    try:
        found = _describe(session, DBInstanceIdentifier=identifier)
    except AwsError as error:
        if error.code in _UNKNOWN:
            return None
        raise
    return next(iter(found), None)


def find_instances(session: boto3.Session, tags: Mapping[str, str]) -> list[Instance]:
    """Return the instances that have all of these tags, by name."""
    found = [one for one in _describe(session) if tags.items() <= one.tags.items()]
    return sorted(found, key=lambda one: one.identifier)


def restore_instance(session: boto3.Session, source: Source, shape: Shape, origin: str) -> bool:
    """Begin to make an instance from what there is.

    Args:
        session: In the region of the source.
        source: Snapshot or moment.
        shape: Of the new instance.
        origin: The instance whose moment is meant.

    Returns:
        Whether it was begun now: False if there is one of that name.

    """
    wanted: dict[str, Any] = {
        "DBInstanceClass": shape.instance_class,
        "DBSubnetGroupName": shape.subnet_group,
        "VpcSecurityGroupIds": list(shape.group_ids),
        "DBParameterGroupName": shape.parameter_group,
        "MultiAZ": shape.multi_az,
        "DeletionProtection": shape.protected,
        "StorageType": "gp3",
        "PubliclyAccessible": False,
        "CopyTagsToSnapshot": True,
        "AutoMinorVersionUpgrade": True,
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(shape.tags.items())],
    }
    try:
        with translated("rds"):
            _restore(session.client("rds", config=CONFIG), source, shape.identifier, origin, wanted)
    except AwsError as error:
        if error.code in _TAKEN:
            return False
        raise
    return True


def set_password(session: boto3.Session, identifier: str, password: str) -> bool:
    """Give an instance's user a password; False if it is busy and would not take it now.

    RDS sets it as soon as it can, and restarts nothing.
    Source: RDS API reference, ModifyDBInstance, MasterUserPassword.
    """
    try:
        with translated("rds"):
            session.client("rds", config=CONFIG).modify_db_instance(
                DBInstanceIdentifier=identifier, MasterUserPassword=password, ApplyImmediately=True
            )
    except AwsError as error:
        if error.code in _BUSY:
            return False
        raise
    return True


def throw_away(session: boto3.Session, identifier: str) -> bool:
    """Begin to delete an instance with all its backups; False if there is nothing left to delete.

    Only for what was made to be thrown away: there is no way back.
    """
    try:
        with translated("rds"):
            session.client("rds", config=CONFIG).delete_db_instance(
                DBInstanceIdentifier=identifier,
                SkipFinalSnapshot=True,
                DeleteAutomatedBackups=True,
            )
    except AwsError as error:
        if error.code in _UNKNOWN | _BUSY:
            return False
        raise
    return True


def end_database(session: boto3.Session, identifier: str, snapshot: str) -> bool:
    """Have RDS delete an instance, protected or not; say whether it is gone.

    It takes minutes, so this is called until it is, and may be called by a run after one that died.

    Args:
        session: Region and credentials.
        identifier: Of the instance.
        snapshot: Name of its last snapshot; "" takes none.

    Source: RDS API reference, DeleteDBInstance; RDS user guide, "Deleting a DB instance".
    """
    instance = read_instance(session, identifier)
    if instance is None:
        return True
    if instance.status == DELETING:
        return False
    try:
        with translated("rds"):
            _delete(session.client("rds", config=CONFIG), instance, snapshot)
    except AwsError as error:
        if error.code in _UNKNOWN:
            return True
        if error.code not in _BUSY:
            raise
    return False


def _restore(
    client: "RDSClient", source: Source, identifier: str, origin: str, wanted: dict[str, Any]
) -> None:
    if source.moment is None:
        client.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=identifier, DBSnapshotIdentifier=source.snapshot, **wanted
        )
        return
    client.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=origin,
        TargetDBInstanceIdentifier=identifier,
        RestoreTime=source.moment,
        **wanted,
    )


def _delete(client: "RDSClient", instance: Instance, snapshot: str) -> None:
    name = instance.identifier
    if instance.protected:
        client.modify_db_instance(
            DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True
        )
    if snapshot:
        client.delete_db_instance(DBInstanceIdentifier=name, FinalDBSnapshotIdentifier=snapshot)
    else:
        client.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


def _describe(session: boto3.Session, **which: str) -> list[Instance]:
    with translated("rds"):
        pages = session.client("rds", config=CONFIG).get_paginator("describe_db_instances")
        return [_plain(row) for page in pages.paginate(**which) for row in page["DBInstances"]]  # type: ignore[arg-type]


def _plain(row: Mapping[str, Any]) -> Instance:
    endpoint = row.get("Endpoint") or {}
    return Instance(
        identifier=row["DBInstanceIdentifier"],
        resource_id=row["DbiResourceId"],
        status=row["DBInstanceStatus"],
        address=endpoint.get("Address", ""),
        port=endpoint.get("Port", 0),
        settling=bool(row.get("PendingModifiedValues", {}).get("MasterUserPassword")),
        restorable=row.get("LatestRestorableTime"),
        protected=bool(row.get("DeletionProtection")),
        tags={tag["Key"]: tag["Value"] for tag in row.get("TagList", [])},
    )
