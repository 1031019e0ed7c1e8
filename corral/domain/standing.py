"""What restores and rotations leave behind: which instance the database is, which password it has.

The cluster file says neither, so a build learns both from the state, and keeps them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

INSTANCE = "aws_db_instance.this"
STORED = "aws_secretsmanager_secret_version.database"


@dataclass(frozen=True, slots=True)
class Standing:
    """How the last run left the database."""

    identifier: str
    """Name of the instance in RDS."""
    password_version: int = 1

    @classmethod
    def first(cls, cluster: str) -> Self:
        """Return how the database of a new cluster begins."""
        return cls(f"{cluster}-database")


def standing_in(resources: Mapping[str, Mapping[str, Any]], cluster: str) -> Standing:
    """Return how a state has the database, even if the run that wrote it died in the middle.

    Resources are asked, and not outputs, which Terraform writes last: a half-written restore or
    rotation must not be turned back by the next build.

    Args:
        resources: Attributes of everything in the state of the stack `database`, by address.
        cluster: Its name.

    """
    first = Standing.first(cluster)
    instance, secret = (resources.get(address, {}) for address in (INSTANCE, STORED))
    # The secret gets a new password before the database does.
    versions = (secret.get("secret_string_wo_version"), instance.get("password_wo_version"))
    return Standing(
        identifier=instance.get("identifier") or first.identifier,
        password_version=max(first.password_version, *(each or 0 for each in versions)),
    )
