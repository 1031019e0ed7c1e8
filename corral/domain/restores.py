"""What a restore goes by: where the data comes from, what it becomes, and whether it is Rancher's.

A restore is written down beside the states before it changes anything, so that the run after one
that died knows that it is the same one, and goes on with the same instance.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from corral.domain.stacks import Database
from corral.domain.standing import Standing
from corral.errors import PrerequisiteError

NOTE = "database.restore.json"
"""Name of the record, beside the states of its cluster."""

TABLES = frozenset(
    {"account", "agent", "credential", "host", "instance", "service", "setting", "stack"}
    | {"cluster_membership", "DATABASECHANGELOG", "DATABASECHANGELOGLOCK"}
)
"""Some that every database of Rancher 1.6 has.

Source: cattle, io.cattle.platform.core.model.tables; Liquibase's own two are in capitals.
"""


@dataclass(frozen=True, slots=True)
class Source:
    """Where data comes from: a snapshot, or what an instance held at a moment."""

    snapshot: str = ""
    moment: datetime | None = None

    def __str__(self) -> str:
        """As people and records have it."""
        if self.moment is None:
            return f"snapshot {self.snapshot}"
        return f"the moment {self.moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def read_source(snapshot: str, point_in_time: str) -> Source:
    """Return what is meant by a run's parameters.

    Raises:
        PrerequisiteError: Both or none are given, or the moment is none, or of no time zone.

    """
    if bool(snapshot) == bool(point_in_time):
        raise PrerequisiteError(
            "A restore needs the name of a snapshot or a point in time, and not both: run again"
            " with snapshot=NAME or with point_in_time=2026-12-01T08:30:00Z."
        )
    if snapshot:
        return Source(snapshot=snapshot)
    try:
        moment = datetime.fromisoformat(point_in_time)
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 - as good as none
    if moment.tzinfo is None:
        raise PrerequisiteError(
            f"The point in time {point_in_time} is no date, time and zone as 2026-12-01T08:30:00Z"
            " or 2026-12-01T09:30:00+01:00 is."
        )
    return Source(moment=moment)


class Restore(BaseModel):
    """One restore, as it is written down."""

    model_config = ConfigDict(frozen=True)

    source: str
    identifier: str
    """Of the instance that it makes."""
    replaces: str
    """The instance that was the database before; it is kept."""
    began: datetime
    confirmed: bool = False
    """Whether somebody has typed the cluster's name; nothing begins before."""
    switched: bool = False
    """Whether servers that start find the new instance; all of the old one's are gone."""
    ended: datetime | None = None

    @classmethod
    def new(cls, cluster: str, source: Source, standing: Standing, now: datetime) -> Self:
        """Return one that has not begun."""
        return cls(
            source=str(source),
            identifier=f"{Standing.first(cluster).identifier}-{stamp(now)}",
            replaces=standing.identifier,
            began=now,
        )

    def standing(self, before: Standing) -> Standing:
        """Return how the database will stand; the password is the one that servers know."""
        return replace(before, identifier=self.identifier)

    def agreed(self) -> Self:
        """Return the same once somebody wants it."""
        return self.model_copy(update={"confirmed": True})

    def after_switch(self) -> Self:
        """Return the same once the new instance is the database."""
        return self.model_copy(update={"switched": True})

    def after_end(self, now: datetime) -> Self:
        """Return the same once the servers are back."""
        return self.model_copy(update={"ended": now})

    def is_unfinished(self, source: Source) -> bool:
        """Say whether a run with this source goes on with it."""
        return self.ended is None and self.source == str(source)


def stamp(now: datetime) -> str:
    """Return a moment as a part of a name in RDS, in UTC: `20261201t083000`."""
    return f"{now.astimezone(UTC):%Y%m%dt%H%M%S}"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a restored instance is like; a snapshot knows nothing of its surroundings."""

    identifier: str
    instance_class: str
    subnet_group: str
    group_ids: tuple[str, ...]
    parameter_group: str
    multi_az: bool
    protected: bool
    tags: dict[str, str]


def shape_of(stack: Database) -> Shape:
    """Return what Terraform would make of a stack, so that it finds little to change."""
    release = "-".join(stack.engine_version.split(".")[:2])
    return Shape(
        identifier=stack.identifier,
        instance_class=stack.instance_class,
        subnet_group=stack.database_subnet_group,
        group_ids=(stack.database_group_id,),
        parameter_group=f"{stack.cluster}-mysql-{release}",
        multi_az=stack.multi_az,
        protected=stack.deletion_protection,
        tags={
            "Cluster": stack.cluster,
            "Stack": stack.name,
            "ManagedBy": "corral",
            "Name": stack.identifier,
        },
    )


DRILL = {"Purpose": "restore-drill"}
"""Tags of what was made for a drill, and may be thrown away once that is over."""

RUN = "Run"
"""Tag with the id of the drill's run."""


def drill_shape(stack: Database, now: datetime, run: str) -> Shape:
    """Return what an instance for a drill is like: as the database, with nothing that lasts."""
    identifier = f"{stack.cluster}-drill-{stamp(now)}"
    own = {"Cluster": stack.cluster, "ManagedBy": "corral", "Name": identifier, RUN: run}
    return replace(
        shape_of(stack), identifier=identifier, multi_az=False, protected=False, tags=own | DRILL
    )


def belongs_to(instance: str, cluster: str) -> bool:
    """Say whether an instance is, or was, the database of a cluster, by its name."""
    first = re.escape(Standing.first(cluster).identifier)
    return re.fullmatch(rf"{first}(-\d{{8}}t\d{{6}})?", instance) is not None


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What was seen in a database."""

    version: str
    """As MySQL says it: `5.7.44-log`."""
    tables: frozenset[str]
    accounts: int = 0
    """Users and environments, those that were removed not counted."""
    settings: int = 0
    migrating: bool = False
    """Whether Liquibase's lock was held; one that was taken in the middle never finished."""

    def __str__(self) -> str:
        """For people."""
        count = len(self.tables)
        return f"MySQL {self.version}, {count} tables, {self.accounts} accounts"


def find_lacks(facts: DatabaseFacts, tables: Collection[str] = TABLES) -> list[str]:
    """Return one sentence for each reason why no server of Rancher could use a database."""
    missing = sorted(set(tables) - facts.tables)
    if missing:
        return [f"it lacks Rancher's tables {', '.join(missing)}"]
    lacks = []
    if not facts.accounts:
        lacks.append("it has no account")
    if facts.migrating:
        lacks.append("its schema was being changed at that moment")
    return lacks
