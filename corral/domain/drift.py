"""How a stack differs from its files: what was changed by hand, and what only waits for an apply.

A plan is read as data. Terraform tells apart what it last wrote (`resource_drift`, before), what is
there now, and what its files say (`resource_changes`, after); what it merely learned about its own
resources since, it calls drift as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

from corral.domain.additions import find_additions
from corral.domain.attributes import NOTHING, UNKNOWN, AttributeChange, attribute_changes
from corral.domain.plan_files import read_plan
from corral.domain.plans import Action, Change

ADDED_TO: Final = "added to"

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Cause(StrEnum):
    """Why something is not as the stack's files say."""

    BY_HAND = "changed by hand"
    WAITING = "waiting to be applied"
    FOLLOWS = "follows from another change"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One resource that is not as the stack's files say."""

    address: str
    cause: Cause
    what: str
    """In words: `changed`, `deleted`, `would be created`."""
    attributes: tuple[AttributeChange, ...] = ()
    """By hand: from what a run left to what is there; else from what is there to what would be."""

    def __str__(self) -> str:
        """As one line: `aws_db_instance.this changed: instance_class: a -> b`."""
        found = "; ".join(map(str, self.attributes))
        return f"{self.address} {self.what}{': ' if found else ''}{found}"


class Looks(BaseModel):
    """When each stack was last looked at, by its name; what is kept between runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    begun: dict[str, AwareDatetime] = {}

    def in_order(self, stacks: Sequence[str]) -> list[str]:
        """Return the names with the one first that nobody looked at for longest."""
        return sorted(stacks, key=lambda name: self.begun.get(name, _NEVER))

    def with_look(self, stack: str, now: datetime, stacks: Sequence[str]) -> "Looks":
        """Return what to keep when a look begins; of stacks that are no more nothing is kept.

        It counts from its beginning, so that a stack on which runs die comes last in the next.
        """
        known = {name: when for name, when in self.begun.items() if name in stacks}
        return Looks(begun={**known, stack: now})


@dataclass(frozen=True, slots=True)
class Look:
    """What looking at one stack came to."""

    stack: str
    deviations: tuple[Deviation, ...] = ()
    fault: str = ""
    """Why it could not be looked at; then nothing is known of it."""

    @property
    def by_hand(self) -> tuple[Deviation, ...]:
        """What somebody changed."""
        return tuple(one for one in self.deviations if one.cause is Cause.BY_HAND)

    @property
    def planned(self) -> tuple[Deviation, ...]:
        """What an apply would change all the same."""
        return tuple(one for one in self.deviations if one.cause is not Cause.BY_HAND)


def find_deviations(document: Mapping[str, Any]) -> tuple[Deviation, ...]:
    """Return what is not as the files say, what was changed by hand first.

    Changed by hand is an attribute that differs from what the last run left, and that the plan
    would change; a resource that is gone, and that the plan would make; and whatever
    `find_additions` finds. All else that the plan would do is waiting, or follows from it.

    Args:
        document: The JSON of `terraform show -json PLANFILE`.

    Raises:
        TerraformError: The format is one this code does not know.

    """
    drift = {entry["address"]: entry["change"] for entry in document.get("resource_drift", [])}
    found = [
        deviation
        for change, raw in _changes(document)
        for deviation in _judge(change, raw, drift.get(change.address))
    ]
    found += [*_additions(document), *_outputs(document)]
    return tuple(sorted(found, key=lambda one: list(Cause).index(one.cause)))


def _changes(document: Mapping[str, Any]) -> Iterator[tuple[Change, Mapping[str, Any]]]:
    version = {"format_version": document.get("format_version")}
    read_plan(version)  # refuses what it does not know, also if nothing changes
    for entry in document.get("resource_changes", []):
        for change in read_plan({**version, "resource_changes": [entry]}).changes:
            yield change, entry["change"]


def _judge(
    change: Change, raw: Mapping[str, Any], drift: Mapping[str, Any] | None
) -> Iterator[Deviation]:
    if change.action is Action.CREATE and drift and drift["actions"] == ["delete"]:
        yield Deviation(change.address, Cause.BY_HAND, "deleted")
    elif change.action in (Action.UPDATE, Action.REPLACE):
        yield from _changed(change, raw, drift or {})
    else:
        yield Deviation(change.address, Cause.WAITING, _planned(change))


def _changed(
    change: Change, raw: Mapping[str, Any], drift: Mapping[str, Any]
) -> Iterator[Deviation]:
    planned = attribute_changes(raw)
    known = [one for one in planned if one.after != UNKNOWN]
    made = attribute_changes(drift)
    by_hand = tuple(one for one in made if any(map(one.leads_to, known)))
    waiting = tuple(one for one in known if not any(map(one.undoes, by_hand)))
    if by_hand:
        yield Deviation(change.address, Cause.BY_HAND, "changed", by_hand)
    if waiting or not planned or change.tainted:
        yield Deviation(change.address, Cause.WAITING, _planned(change), waiting)
    elif not by_hand:
        yield Deviation(change.address, Cause.FOLLOWS, _planned(change), planned)


def _planned(change: Change) -> str:
    verbs = {
        Action.CREATE: "would be created",
        Action.UPDATE: "would be changed",
        Action.REPLACE: "would be replaced",
        Action.DELETE: "would be destroyed",
        Action.FORGET: "would be looked after no longer",
    }
    verb = verbs.get(change.action, f"would get {change.action}")
    return f"{verb} ({change.why})" if change.why else verb


def _additions(document: Mapping[str, Any]) -> Iterator[Deviation]:
    values = document.get("prior_state", {}).get("values", {})
    found = find_additions(values.get("root_module", {}).get("resources", []))
    for address, ones in groupby(found, key=attrgetter("address")):
        added = tuple(AttributeChange(one.attribute, NOTHING, one.what) for one in ones)
        yield Deviation(address, Cause.BY_HAND, ADDED_TO, added)


def _outputs(document: Mapping[str, Any]) -> Iterator[Deviation]:
    """Yield outputs that would change although no resource does."""
    plan = read_plan(document)
    if plan.outputs and not plan.changes:
        what = f"would change: {', '.join(plan.outputs)}"
        yield Deviation("outputs", Cause.WAITING, what)
