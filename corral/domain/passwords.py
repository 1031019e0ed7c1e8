"""How far the change of the database's password is, if it ever began; decided from what is kept.

A new password is made and stored first, then set in the database, then read by servers that start.
A run may die between any two of these, and while Terraform writes down that it did one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from corral.domain.standing import INSTANCE, STORED


class Step(StrEnum):
    """What comes next."""

    CHANGE = "another password"
    SET = "the password that is stored already"
    RESTART = "servers that came with the password before"


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a run has to do first; servers are restarted in any case."""

    step: Step
    version: int
    """Of the password, which the database shall have."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The secret as it is in AWS."""

    version_id: str
    made: datetime


def next_step(
    resources: Mapping[str, Mapping[str, Any]],
    stored: Stored,
    launches: Collection[datetime | None],
) -> Rotation:
    """Return what a rotation has to do next.

    Args:
        resources: Attributes of everything in the state of the stack `database`, by address.
        stored: What servers that start now are given.
        launches: When each server was launched, as far as that is known.

    """
    secret, instance = (resources.get(address, {}) for address in (STORED, INSTANCE))
    kept = secret.get("secret_string_wo_version") or 0
    known = instance.get("password_wo_version") or 0
    version = max(1, kept, known)
    if secret.get("version_id") != stored.version_id:
        # Stored by a run that died before it was written down: nobody knows whether it was set.
        return Rotation(Step.CHANGE, version + 1)
    if kept != known:
        return Rotation(Step.SET, version)
    if any(launch and launch < stored.made for launch in launches):
        return Rotation(Step.RESTART, version)
    return Rotation(Step.CHANGE, version + 1)
