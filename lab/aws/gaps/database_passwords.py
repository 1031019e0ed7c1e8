"""A new master password counts some time after it was asked for.

moto: it is the password at once.
AWS: the call answers at once, and the change is made as soon as possible after it: until then
`PendingModifiedValues` has a `MasterUserPassword`, the old password counts, and the instance says
`available` for a moment yet before it is `resetting-master-credentials`. Nothing is modified unless
an instance is available.
Why it matters: who waits for `available` only may find that of before the change, and servers that
start too early with the new password are refused.

Source: RDS API reference, ModifyDBInstance, MasterUserPassword; RDS user guide, "Viewing Amazon RDS
DB instance status". How long it takes is not said.
"""

import time
from dataclasses import dataclass
from typing import Any, Final

from moto.rds.exceptions import RDSClientError
from moto.rds.models import DBInstance, RDSBackend

from lab.aws.moto_edge import Backends, patch
from lab.world import World

UNNOTICED_S: Final = 3.0
CHANGING_S: Final = 30.0
RESETTING: Final = "resetting-master-credentials"


@dataclass(frozen=True, slots=True)
class _Change:
    password: str
    shows: float
    due: float


def close(world: World) -> None:
    """Let a new password take its time."""
    made_slowly = vars(DBInstance)["status"]

    def look(self: DBInstance) -> str:
        status: str = made_slowly.fget(self)
        change = getattr(self, "lab_change", None)
        changes = change is not None and time.monotonic() >= change.shows
        return RESETTING if changes and status == "available" else status

    def pending(self: DBInstance) -> dict[str, str]:
        return {"MasterUserPassword": "****"} if getattr(self, "lab_change", None) else {}

    def modify(self: RDSBackend, db_instance_identifier: str, given: dict[str, Any]) -> DBInstance:
        database = self.describe_db_instances(db_instance_identifier)[0]
        if database.status != "available":
            raise RDSClientError(
                "InvalidDBInstanceState", "Database instance is not in available state."
            )
        password = given.pop("master_user_password", None)
        modified = original(self, db_instance_identifier, given)
        if password:
            shows = time.monotonic() + world.seconds(UNNOTICED_S)
            modified.lab_change = _Change(password, shows, shows + world.seconds(CHANGING_S))
        return modified

    patch(DBInstance, "status", property(look, made_slowly.fset))
    patch(DBInstance, "pending_modified_values", property(pending))
    original = patch(RDSBackend, "modify_db_instance", modify)


def change_what_is_due(backends: Backends) -> None:
    """Let the new passwords count whose time has come, and note until when the old ones did."""
    now = time.monotonic()
    for database in backends.rds.databases.values():
        change = getattr(database, "lab_change", None)
        if change is not None and change.due <= now:
            former = getattr(database, "lab_former_passwords", ())
            before = (time.time(), database.__dict__["_master_user_password"])
            database.lab_former_passwords = (*former, before)
            database.master_user_password = change.password
            database.lab_change = None


def password_at(database: Any, moment: float) -> str:  # noqa: ANN401
    """Return the password that counted at a moment, in seconds since the epoch."""
    for until, password in getattr(database, "lab_former_passwords", ()):
        if moment < until:
            return str(password)
    return str(database.__dict__["_master_user_password"])
