"""When API keys are replaced, and when those that were replaced may go.

Whoever reads a key from the vault works with it for a while. So a key that has left the vault goes
only when nobody can hold it any more, whichever flow looks, and in whatever order runs came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from corral.domain.set_up.keys import KnownKey, is_barred, ours

HELD: Final = timedelta(hours=2)
"""The longest that anybody works with a key after reading it.

That is a run of drain-hosts: it reads the administrator's key once, and is ended after two hours. A
run of reconcile-hosts ends within fifteen minutes. Set-up reads the key anew for each thing that it
sees to, and waits half an hour for one state of it (CORRAL_GATE_DEADLINE_S). A machine that joins
holds its environment's key for 26 minutes at most, one that leaves for two, and both read the
secret again when Rancher refuses what they hold.
"""

ADMINISTRATOR: Final = "administrator"
"""Whose key corral's own is, in reports."""

MAKING: Final = timedelta(minutes=10)
"""The longest from the birth of a key to its being in the vault; what takes longer is given up."""

SKEW: Final = timedelta(minutes=15)
"""How far the clocks of a worker and of Rancher's servers may be apart."""

OVERLAP: Final = timedelta(hours=3)
"""For how long a key works on after the birth of the one that replaced it.

It is at least HELD + MAKING + SKEW: the replaced key was in the vault until its successor was, and
somebody may have read it in that moment.
"""


@dataclass(frozen=True, slots=True)
class RotationRule:
    """When a key is too old, and for how long it works on once it is replaced.

    `now` is when the run began; `max_age` of zero replaces every key.
    """

    now: datetime
    max_age: timedelta
    overlap: timedelta = OVERLAP


@dataclass(frozen=True, slots=True)
class Leaving:
    """A key that is in the vault no longer, or was not stored by a run that died."""

    key: KnownKey
    until: datetime
    """Before that nobody removes it."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What is to be done about one account's keys."""

    remove: tuple[KnownKey, ...]
    make: bool
    """Whether a new key takes the stored one's place."""
    leaving: tuple[Leaving, ...]
    """Those for a later run."""


class Fate(StrEnum):
    """What a run of the rotation did about a key."""

    KEPT = "kept"
    MADE = "made"
    LEAVING = "replaced, works on"
    REMOVED = "removed"
    MISSING = "not set up yet"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class KeyFate:
    """What became of one key; `key` is None where set-up has not made one yet, or none was seen.

    `fault` says what went wrong, "" if nothing did.
    """

    whose: str
    fate: Fate
    key: KnownKey | None = None
    until: datetime | None = None
    fault: str = ""

    def __str__(self) -> str:
        """Say it as a line of a report."""
        if self.fault:
            return f"{self.whose}: {self.fault}"
        until = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        return f"{self.whose}: {f'{self.key.id} ' if self.key else ''}{self.fate}{until}"


def whose_key(environment: str) -> str:
    """Return whose key the one is with which hosts join an environment, in reports."""
    return f"environment {environment}"


def plan_rotation(
    name: str, listed: Sequence[KnownKey], stored: KnownKey | None, rule: RotationRule
) -> Rotation:
    """Return whether a new key is due, and which others may go.

    A key that a run made and then died over looks like one that was replaced: which was born first
    is not certain, since servers' clocks differ, and a run that is just about to store it may live
    yet. So both stay for the same time after the younger one of it and the stored key was born.

    Args:
        name: Of our keys; those of other names are other people's.
        listed: What Rancher has.
        stored: The one in the vault; None if that opens nothing.
        rule: When a key is too old, and for how long it works on.
    """
    born = stored.created if stored else rule.now
    make = stored is None or max(rule.now - born, timedelta()) >= rule.max_age
    others = [key for key in ours(name, listed) if stored is None or key.id != stored.id]
    leaving = [Leaving(key, max(key.created, born) + rule.overlap) for key in others]
    due = {each.key.id for each in leaving if each.until <= rule.now or is_barred(each.key)}
    staying = [each for each in leaving if each.key.id not in due]
    if make and stored and stored.name == name:
        staying.append(Leaving(stored, rule.now + rule.overlap))
    return Rotation(tuple(key for key in others if key.id in due), make, tuple(staying))
