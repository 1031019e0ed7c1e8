"""Snapshots take their time, automated ones are made every day, and old ones go.

moto: a snapshot is `available` at once; one automated one is made with the instance, whether it
keeps backups or not, and none later; a snapshot of any instance may be taken or deleted.
AWS: a snapshot is `creating` for minutes, and its instance `backing-up`; it is taken of an instance
that is available, and deleted when it is available itself; automated ones are made once a day and
kept for so many days as the instance says, none if it says zero.
Why it matters: who goes on before a snapshot is available has no way back.

Source: RDS API reference, CreateDBSnapshot, DeleteDBSnapshot; RDS user guide, "Introduction to
backups". How long it takes is not said.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from moto.core.responses import ActionResult
from moto.rds.exceptions import RDSClientError
from moto.rds.models import DBInstance, DBSnapshot, RDSBackend
from moto.rds.responses import RDSResponse

from lab.aws.moto_edge import Backends, patch
from lab.world import World

TAKING_S: Final = 60.0
DAY_S: Final = 86400.0
AUTOMATED: Final = "automated"


def close(world: World) -> None:
    """Let snapshots take their time, and refuse what AWS refuses."""
    _take_slowly(world)
    _show_backing_up()
    _refuse()


def _take_slowly(world: World) -> None:
    def make(
        self: DBSnapshot,
        backend: RDSBackend,
        database: DBInstance,
        *given: object,
        **more: object,
    ) -> None:
        original(self, backend, database, *given, **more)
        self.lab_key = str(uuid4())
        begins = max(time.monotonic(), getattr(database, "lab_made_at", 0.0))
        first = self.snapshot_type == AUTOMATED and database.status == "creating"
        # The first backup belongs to the making of an instance.
        self.lab_made_at = begins if first else begins + world.seconds(TAKING_S)
        database.lab_backed_up_at = self.lab_made_at

    def look(self: DBSnapshot) -> str:
        return "creating" if time.monotonic() < self.lab_made_at else "available"

    def progress(self: DBSnapshot) -> int:
        left: float = (self.lab_made_at - time.monotonic()) / world.seconds(TAKING_S)
        return 100 - round(100 * min(1.0, max(0.0, left)))

    original = patch(DBSnapshot, "__init__", make)
    patch(DBSnapshot, "status", property(look, lambda _self, _status: None))
    patch(DBSnapshot, "percent_progress", property(progress))


def _show_backing_up() -> None:
    before = vars(DBInstance)["status"]

    def look(self: DBInstance) -> str:
        status: str = before.fget(self)
        busy = time.monotonic() < getattr(self, "lab_backed_up_at", 0.0)
        return "backing-up" if busy and status == "available" else status

    def save(self: DBInstance) -> None:
        if self.backup_retention_period:
            original(self)

    patch(DBInstance, "status", property(look, before.fset))
    original = patch(DBInstance, "save_automated_backup", save)


def _refuse() -> None:
    def create(self: RDSResponse) -> ActionResult:
        name = self.params["DBInstanceIdentifier"]
        known = self.backend.databases.get(name)
        if known is not None and known.status != "available":
            raise RDSClientError(
                "InvalidDBInstanceState",
                f"Cannot create a snapshot because the database instance {name} is not currently"
                " in the available state.",
            )
        return original_create(self)

    def delete(self: RDSResponse) -> ActionResult:
        name = self.params["DBSnapshotIdentifier"]
        known = self.backend.database_snapshots.get(name)
        if known is not None and known.status != "available":
            raise not_available(name)
        return original_delete(self)

    original_create = patch(RDSResponse, "create_db_snapshot", create)
    # Not the backend's: an instance that goes takes its backups along, whole or not.
    original_delete = patch(RDSResponse, "delete_db_snapshot", delete)


def not_available(snapshot: str) -> RDSClientError:
    """Return the refusal of what needs a whole snapshot."""
    return RDSClientError(
        "InvalidDBSnapshotState", f"The snapshot {snapshot} is not in the available state."
    )


def back_up(backends: Backends, identifier: str) -> str:
    """Take an automated snapshot of an instance now and return its name.

    Raises:
        LookupError: there is no such instance, or it keeps no backups.

    """
    database = backends.rds.databases.get(identifier)
    if database is None or not database.backup_retention_period:
        raise LookupError(f"RDS has no instance {identifier} that keeps backups")
    moment = datetime.now(UTC)
    while (name := f"rds:{identifier}-{moment:%Y-%m-%d-%H-%M}") in backends.rds.database_snapshots:
        moment += timedelta(minutes=1)
    backends.rds.create_auto_snapshot(identifier, name)
    return name


def back_up_what_is_due(world: World, backends: Backends) -> None:
    """Make the daily backups, and let those go that are past their time."""
    now, day = time.monotonic(), world.seconds(DAY_S)
    for name, database in list(backends.rds.databases.items()):
        days = int((now - database.lab_made_at) / day)
        if database.status == "available" and database.backup_retention_period:
            if days > getattr(database, "lab_days", 0):
                back_up(backends, name)
            database.lab_days = days
            _forget(backends, name, now - database.backup_retention_period * day)


def _forget(backends: Backends, identifier: str, oldest: float) -> None:
    for name, snapshot in list(backends.rds.database_snapshots.items()):
        mine = (snapshot.snapshot_type, snapshot.db_instance_identifier) == (AUTOMATED, identifier)
        if mine and snapshot.lab_made_at < oldest:
            del backends.rds.database_snapshots[name]
