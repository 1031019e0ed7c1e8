"""A database is made, and goes, in minutes.

moto: is `available` as soon as it was asked for, and unknown as soon as it is to be deleted.
AWS: is `creating` for minutes, and shows no endpoint meanwhile; is `deleting` for minutes, and its
name is taken meanwhile. Whoever deletes it says which last snapshot is taken, or that none is.
Why it matters: a build that is interrupted leaves a database that is still made, and who finds it
must wait, and must not take it for a whole one or a broken one.

Source: RDS user guide, "Viewing Amazon RDS DB instance status", and RDS API reference,
DBInstance.Endpoint, and DeleteDBInstance, SkipFinalSnapshot. How long it takes is not said; ten
minutes are usual with a standby.
"""

import time
from typing import Any

from moto.rds.exceptions import RDSClientError
from moto.rds.models import DBInstance, RDSBackend

from lab.aws.moto_edge import Backends, patch
from lab.world import World

CREATING_S = 600.0
DELETING_S = 60.0
_DELETING = "deleting"


def close(world: World) -> None:
    """Let a database's status take its time."""
    _make_slowly(world)
    _delete_slowly(world)


def _make_slowly(world: World) -> None:
    def keep(self: DBInstance, status: str) -> None:
        self.__dict__.setdefault("lab_made_at", time.monotonic() + world.seconds(CREATING_S))
        self.__dict__["status"] = status

    def look(self: DBInstance) -> str:
        status: str = self.__dict__["status"]
        is_made = time.monotonic() >= self.lab_made_at
        return "creating" if status == "available" and not is_made else status

    def endpoint(self: DBInstance) -> dict[str, Any] | None:
        known: dict[str, Any] = original(self)
        return None if self.status == "creating" else known

    patch(DBInstance, "status", property(look, keep))
    original = patch(DBInstance, "endpoint", property(endpoint)).fget


def _delete_slowly(world: World) -> None:
    def delete(self: RDSBackend, db_instance_identifier: str, **given: Any) -> DBInstance:  # noqa: ANN401
        known = self.databases.get(db_instance_identifier)
        is_said = given.get("final_db_snapshot_identifier") or given.get("skip_final_snapshot")
        if known is not None and not is_said:
            raise RDSClientError(
                "InvalidParameterCombination",
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
            )
        if known is not None and known.status == _DELETING:
            raise RDSClientError(
                "InvalidDBInstanceState",
                f"Instance {db_instance_identifier} is already being deleted.",
            )
        database = original(self, db_instance_identifier, **given)
        database.lab_gone_at = time.monotonic() + world.seconds(DELETING_S)
        self.databases[db_instance_identifier] = database
        return database

    original = patch(RDSBackend, "delete_db_instance", delete)


def end_what_is_due(backends: Backends) -> None:
    """Forget the databases whose deletion is over."""
    now = time.monotonic()
    for name, database in list(backends.rds.databases.items()):
        if database.status == _DELETING and database.lab_gone_at <= now:
            del backends.rds.databases[name]
