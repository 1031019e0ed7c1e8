"""A restored instance is a new one with the data, and the password, of then.

moto: takes over nearly all of the other instance as it is at the moment, and knows no time to
restore to; what can be restored is what is there at the moment.
AWS: a snapshot has to be available; a moment lies between the first backup and
`LatestRestorableTime`, which is up to five minutes old; protection against deletion, enhanced
monitoring and exported logs are as asked for, or off; the tags of an instance are not those of
another one unless a snapshot brings them along; user and password are those of then.
Why it matters: what a restore does not ask for has to be put right afterwards, or is missing.

Source: RDS API reference, RestoreDBInstanceFromDBSnapshot, RestoreDBInstanceToPointInTime,
DBInstance.LatestRestorableTime; RDS user guide, "Tagging Amazon RDS resources".
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from moto.rds.exceptions import InvalidParameterCombination, InvalidParameterValue
from moto.rds.models import DBInstance, RDSBackend

from lab.aws.gaps.database_passwords import password_at
from lab.aws.gaps.database_snapshots import not_available
from lab.aws.moto_edge import patch
from lab.aws.views import Origin
from lab.world import World

UPLOAD_S: Final = 300.0
"""How often RDS puts the log of changes aside."""


def close(world: World) -> None:
    """Restore as AWS does."""
    _from_snapshot()
    _to_moment()
    _date(world)


def _date(world: World) -> None:
    def latest(self: DBInstance) -> datetime | None:
        if self.status == "creating" or not self.backup_retention_period:
            return None
        step = world.seconds(UPLOAD_S)
        aside = time.time() // step * step
        return datetime.fromtimestamp(max(aside, _made(self)), UTC)

    patch(DBInstance, "latest_restorable_time", property(latest))


def _made(database: DBInstance) -> float:
    """Return when an instance became available, in whole seconds since the epoch."""
    return (time.time() - time.monotonic() + float(database.lab_made_at)) // 1


def _from_snapshot() -> None:
    def restore(
        self: RDSBackend, from_snapshot_id: str, overrides: Mapping[str, Any]
    ) -> DBInstance:
        snapshot = self.get_db_snapshot(from_snapshot_id)
        if snapshot.status != "available":
            raise not_available(snapshot.db_snapshot_identifier)
        restored = original(self, snapshot.db_snapshot_identifier, overrides)
        restored.lab_origin = Origin(snapshot=snapshot.lab_key)
        _leave_out(restored, overrides)
        return restored

    original = patch(RDSBackend, "restore_db_instance_from_db_snapshot", restore)


def _to_moment() -> None:
    def restore(
        self: RDSBackend, source: str, target: str, overrides: Mapping[str, Any]
    ) -> DBInstance:
        database = self.describe_db_instances(db_instance_identifier=source)[0]
        moment = _moment(database, overrides)
        restored = original(self, source, target, overrides)
        restored.lab_origin = Origin(resource_id=database.dbi_resource_id, moment=moment)
        restored.master_user_password = password_at(database, moment)
        restored.tags = overrides.get("tags") or []
        _leave_out(restored, overrides)
        return restored

    original = patch(RDSBackend, "restore_db_instance_to_point_in_time", restore)


def _moment(database: DBInstance, given: Mapping[str, Any]) -> float:
    """Return the moment that is asked for, in seconds since the epoch."""
    wanted, newest = given.get("restore_time"), given.get("use_latest_restorable_time")
    latest = database.latest_restorable_time
    if bool(wanted) == bool(newest):
        raise InvalidParameterCombination(
            "Specify either RestoreTime or UseLatestRestorableTime, and not both."
        )
    if latest is None:
        raise InvalidParameterValue(f"{database.db_instance_identifier} has no backups yet.")
    moment: float = latest.timestamp() if newest else _seconds(wanted)
    if not _made(database) <= moment <= latest.timestamp():
        raise InvalidParameterValue(
            f"The specified instance cannot be restored to a time later than {latest:%FT%TZ},"
            " or earlier than its first backup."
        )
    return moment


def _seconds(wanted: Any) -> float:  # noqa: ANN401
    moment = wanted if isinstance(wanted, datetime) else datetime.fromisoformat(str(wanted))
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _leave_out(restored: DBInstance, given: Mapping[str, Any]) -> None:
    """Take back what an instance has only if it was asked for."""
    restored.deletion_protection = bool(given.get("deletion_protection"))
    restored.enabled_cloudwatch_logs_exports = list(
        given.get("enable_cloudwatch_logs_exports") or []
    )
    restored.monitoring_interval, restored.monitoring_role_arn = 0, None
