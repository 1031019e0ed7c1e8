"""Every RDS instance has a resource id of its own.

moto: `DbiResourceId` is `db-M5ENSHXFPU6XHZ4G4ZEI5QIO2U` for each instance.
AWS: `db-` and 26 capitals and digits, unique in the region and never given again.
Why it matters: the Terraform provider (5.x) keeps this id as the resource's own and reads the wrong
instance as soon as there are two.

Source: RDS API reference, DBInstance.DbiResourceId.
"""

import base64
import secrets

from moto.rds.models import DBInstance

from lab.aws.moto_edge import patch


def new_resource_id() -> str:
    """Return an id as RDS makes them."""
    return "db-" + base64.b32encode(secrets.token_bytes(17)).decode()[:26]


def close() -> None:
    """Give each instance its id when it is made."""

    def make(self: DBInstance, *args: object, **kwargs: object) -> None:
        original(self, *args, **kwargs)
        self.dbi_resource_id = new_resource_id()

    original = patch(DBInstance, "__init__", make)
