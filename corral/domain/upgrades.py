"""An upgrade of Rancher: what stands against it, what it begins or goes on with, and the way back.

Nothing here asks anybody or looks at a clock.

A database is migrated forward only, and nothing keeps an older server from starting on it.
Source: cattle, db-loader Loader.java (Liquibase's update, which leaves unknown changes alone).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from corral.domain.gate import VERSION
from corral.domain.set_up.versions import sort_key
from corral.errors import PrerequisiteError

OLDEST: Final = "v1.6.0"
"""Where this line of Rancher begins. What came before it is upgraded by its own rules."""

FRESH: Final = timedelta(hours=1)
"""How old a snapshot may be while people go on changing what it was taken of."""

SOURCE_TAG: Final = "UpgradeFrom"
TARGET_TAG: Final = "UpgradeTo"
DONE_TAG: Final = "UpgradeDone"
"""What an attempt is known by: tags of its snapshot, the last one as soon as it is over."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An upgrade that was begun, and is not known to have ended: its snapshot tells of it."""

    snapshot: str
    source: str
    target: str
    begun: datetime | None
    """None while the snapshot has only just been asked for."""


@dataclass(frozen=True, slots=True)
class Look:
    """A cluster before its upgrade.

    `running` is the version that answers, or what was answered instead; `attempts` are the newest
    first, those of the database that serves now.
    """

    cluster: str
    instance: str
    running: str
    attempts: tuple[Attempt, ...] = ()


class Course(StrEnum):
    """What an upgrade has to do."""

    CONFIRM = "confirm"
    """The version is the wanted one: its servers only have to pass their gate."""
    BEGIN = "begin"
    """An older version serves."""
    RESUME = "resume"
    """Nobody serves, since an earlier run died on its way."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An upgrade as it shall go."""

    course: Course
    cluster: str
    instance: str
    source: str
    target: str
    snapshot: str
    """Name of the snapshot that leads back; empty if there is no way back to need."""
    open: tuple[str, ...] = ()
    """Snapshots of attempts that are over once this one has succeeded."""

    @property
    def is_needed(self) -> bool:
        """Whether servers have to be stopped and started."""
        return self.course is not Course.CONFIRM

    @property
    def tags(self) -> dict[str, str]:
        """What its snapshot is known by."""
        return {SOURCE_TAG: self.source, TARGET_TAG: self.target}

    @property
    def way_back(self) -> str:
        """How people undo it, as sentences; empty if there is nothing to go back to."""
        if not self.snapshot:
            return ""
        return say_way_back(self.cluster, self.source, self.snapshot)


def plan_upgrade(look: Look, target: str, now: datetime) -> Upgrade:
    """Return what an upgrade to a version has to do.

    Raises:
        PrerequisiteError: The database must not meet that version; the error says why.
    """
    if VERSION.fullmatch(look.running):
        return _plan_from(look, target, now)
    return _plan_in_the_dark(look, target)


def say_way_back(cluster: str, source: str, snapshot: str) -> str:
    """Return how people get back to the version and the data of before."""
    return (
        f"The way back: write rancher.version: {source} into the file of {cluster}, then run"
        f" prefect deployment run restore-database/{cluster} --param snapshot={snapshot}"
        f" (what was written since that snapshot is lost)."
    )


def name_snapshot(instance: str, source: str, target: str, now: datetime) -> str:
    """Return the name of a snapshot that is taken before an upgrade.

    Source: RDS API reference, CreateDBSnapshot: letters, digits, single hyphens.
    """
    return f"{instance}-{source}-to-{target}-{now:%Y%m%d-%H%M%S}".replace(".", "-")


def are_renewed(upgrade: Upgrade, desired: int, releases: Sequence[str]) -> bool:
    """Say whether an earlier run has stopped the old servers: new ones may be in their migration.

    Args:
        upgrade: What is being done.
        desired: How many servers their group shall have.
        releases: Which release each that is there was started with; "" is not known.

    """
    resumed = upgrade.course is Course.RESUME
    return resumed and desired > 0 and all(one == upgrade.target for one in releases)


def _plan_from(look: Look, target: str, now: datetime) -> Upgrade:
    """Return what is to be done where somebody serves."""
    running = look.running
    if running == target:
        last = next((one for one in look.attempts if one.target == target), None)
        source, snapshot = (last.source, last.snapshot) if last else (running, "")
        done = tuple(one.snapshot for one in look.attempts)
        return _upgrade(Course.CONFIRM, look, source, target, snapshot, done)
    if fault := _find_fault(look, target):
        raise PrerequisiteError(fault)
    usable = (one for one in look.attempts if _is_usable(one, running, target, now))
    known = next(usable, None)
    name = known.snapshot if known else name_snapshot(look.instance, running, target, now)
    return _upgrade(Course.BEGIN, look, running, target, name, _names(look, name))


def _plan_in_the_dark(look: Look, target: str) -> Upgrade:
    """Return what is to be done where nobody serves: only an earlier run knows from where."""
    last = next(iter(look.attempts), None)
    if last is None:
        raise PrerequisiteError(
            f"Nobody answers as Rancher of {look.cluster} ({look.running}), and no upgrade was"
            " begun: which version its database has is not known. Start its servers first, with"
            f" build-cluster/{look.cluster} and the version that they had."
        )
    if sort_key(last.target) > sort_key(target):
        raise PrerequisiteError(
            f"An upgrade of {look.cluster} to {last.target} was begun, and nobody answers: the"
            f" database may be migrated half or whole, and {target} must not meet it. Write"
            f" {last.target} and run again, or go back first."
            f" {say_way_back(look.cluster, last.source, last.snapshot)}"
        )
    names = _names(look, last.snapshot)
    return _upgrade(Course.RESUME, look, last.source, target, last.snapshot, names)


def _upgrade(
    course: Course, look: Look, source: str, target: str, snapshot: str, over: tuple[str, ...]
) -> Upgrade:
    return Upgrade(course, look.cluster, look.instance, source, target, snapshot, over)


def _names(look: Look, snapshot: str) -> tuple[str, ...]:
    """Return the snapshots of all attempts that end with this one."""
    return tuple(dict.fromkeys([snapshot, *(one.snapshot for one in look.attempts)]))


def _find_fault(look: Look, target: str) -> str:
    """Return why a version that serves cannot become another; "" if it can."""
    running = look.running
    if sort_key(running) > sort_key(target):
        return (
            f"Rancher {running} is running in {look.cluster}, but rancher.version says {target}:"
            f" no server goes back to an older version; write {running}, or restore a snapshot"
            f" that {target} wrote, with restore-database/{look.cluster}."
        )
    if sort_key(running) < sort_key(OLDEST):
        return (
            f"Rancher {running} is running in {look.cluster}: upgrade it by its own manual to"
            f" {OLDEST} or later first; from there on corral does it."
        )
    return ""


def _is_usable(attempt: Attempt, running: str, target: str, now: datetime) -> bool:
    """Say whether an earlier run's snapshot still holds what is there now."""
    is_same = (attempt.source, attempt.target) == (running, target)
    return is_same and (attempt.begun is None or now - attempt.begun < FRESH)
