"""What a Terraform plan would do, what a run was allowed to do, and how people read both."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Self

from corral.domain.attributes import UNKNOWN, AttributeChange


class Action(StrEnum):
    """What happens to one resource."""

    CREATE = "create"
    ADOPT = "adopt"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Change:
    """What the plan does to one resource; no value of it is sensitive."""

    address: str
    type: str
    action: Action
    reason: str = ""
    forced_by: tuple[str, ...] = ()
    """Attributes that cannot change in place, so that the resource must be replaced."""
    attributes: tuple[AttributeChange, ...] = ()
    """What differs, of a resource that is there before and after."""
    tainted: bool = False
    identity: Mapping[str, str] = field(default_factory=dict)
    """What names the resource in AWS, as far as it is known: `id`, `arn`, `identifier`."""

    @property
    def changed(self) -> tuple[str, ...]:
        """The top-level attributes that differ."""
        return tuple(dict.fromkeys(one.path.split(".")[0] for one in self.attributes))

    @property
    def why(self) -> str:
        """The reason in words, with the attributes that force it."""
        forced = f"{', '.join(self.forced_by)} forces it" if self.forced_by else ""
        return ": ".join(part for part in (self.reason, forced) if part)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run would do to one stack."""

    changes: tuple[Change, ...] = ()
    outputs: tuple[str, ...] = ()
    """Names of outputs that change."""

    @property
    def tainted(self) -> tuple[Change, ...]:
        """Resources that would be replaced only because their creation was interrupted."""
        return tuple(change for change in self.changes if change.tainted)


class Wholeness(StrEnum):
    """What AWS says of a resource whose creation was interrupted."""

    WHOLE = "whole"
    COMING = "coming"
    BROKEN = "broken"


class Ruling(StrEnum):
    """Whether a change may be made, the mildest first."""

    NOTHING = "nothing to do"
    SAFE = "safe"
    NEEDS_APPROVAL = "needs approval"
    FORBIDDEN = "forbidden"


EVERYTHING = "*"
"""The address of an approval that names every resource of its stack; no text can say it."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Leave to change one resource in a way that would otherwise not be made."""

    stack: str
    """As people call it: `database`, `host-pool/web`."""
    address: str
    """Of the resource in its stack, with its index if it has one; or `EVERYTHING`."""
    until: date | None = None
    """The last day it counts; without one it is worth nothing for what is protected."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `STACK:ADDRESS`, or `STACK:ADDRESS until YYYY-MM-DD`.

        Raises:
            ValueError: It is neither; the message is a sentence that quotes it.

        """
        found = _APPROVAL.fullmatch(text.strip())
        if found is None or found["address"] == EVERYTHING:
            raise ValueError(
                f"`{text}` is no STACK:ADDRESS, as `database:aws_db_instance.this` is,"
                " nor that with ` until YYYY-MM-DD` behind it"
            )
        try:
            until = date.fromisoformat(found["until"]) if found["until"] else None
        except ValueError:
            raise ValueError(f"`{text}` ends with no date, as 2026-12-01 is one") from None
        return cls(found["stack"], found["address"], until)

    def names(self, stack: str, address: str) -> bool:
        """Tell whether it is about this resource."""
        return self.stack == stack and self.address in (address, EVERYTHING)

    def is_over(self, today: date) -> bool:
        """Tell whether its last day is past."""
        return self.until is not None and self.until < today

    def counts(self, today: date, *, needs_date: bool) -> bool:
        """Tell whether it is worth anything today; what is protected needs one with a date."""
        return not self.is_over(today) and (self.until is not None or not needs_date)

    def __str__(self) -> str:
        """As `parse` reads it."""
        return f"{self.stack}:{self.address}" + (f" until {self.until}" if self.until else "")


_APPROVAL = re.compile(r"(?P<stack>[^:\s]+):(?P<address>\S.*?)(?:\s+until\s+(?P<until>\S+))?")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one change may be made, and why (not)."""

    change: Change
    ruling: Ruling = Ruling.SAFE
    reason: str = ""

    @property
    def safe(self) -> bool:
        """Whether the run may make this change."""
        return self.ruling in (Ruling.NOTHING, Ruling.SAFE)


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What a run changed, or would change, for a log line, an artifact and an end state."""

    stack: str
    verdicts: tuple[Verdict, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to apply."""
        return not self.verdicts and not self.outputs

    @property
    def ruling(self) -> Ruling:
        """The sternest of all verdicts."""
        if self.is_empty:
            return Ruling.NOTHING
        stern = (Ruling.FORBIDDEN, Ruling.NEEDS_APPROVAL)
        rulings = {verdict.ruling for verdict in self.verdicts}
        return next((ruling for ruling in stern if ruling in rulings), Ruling.SAFE)

    def refusals(self, ruling: Ruling) -> list[str]:
        """Return the reason of each verdict that came to this ruling."""
        return [verdict.reason for verdict in self.verdicts if verdict.ruling is ruling]

    def count(self, action: Action) -> int:
        """Return how many resources get this action."""
        return sum(verdict.change.action is action for verdict in self.verdicts)

    def __str__(self) -> str:
        """Counts in one line: `2 create, 1 update`, or `no change`."""
        counts = [f"{self.count(action)} {action}" for action in Action if self.count(action)]
        if self.outputs:
            counts.append(f"{len(self.outputs)} outputs")
        return ", ".join(counts) or "no change"

    def as_markdown(self) -> str:
        """Return a table of the changes, and the attributes of each; no value is sensitive."""
        notes = {
            Ruling.FORBIDDEN: "; forbidden, nothing was changed",
            Ruling.NEEDS_APPROVAL: "; needs approval, nothing was changed yet",
        }
        head = f"**{self.stack}**: {self}{notes.get(self.ruling, '')}"
        if not self.verdicts:
            return head
        rows = [_row(verdict) for verdict in self.verdicts]
        told = [line for verdict in self.verdicts for line in _told(verdict.change)]
        return "\n".join([head, "", "| resource | action | why |", "|---|---|---|", *rows, *told])


def _row(verdict: Verdict) -> str:
    change = verdict.change
    changed = f"changes {', '.join(change.changed)}" if change.action is Action.UPDATE else ""
    why = verdict.reason or change.why or changed
    return f"| `{change.address}` | {change.action} | {why.replace('|', '/')} |"


def _told(change: Change) -> list[str]:
    """Return a list of the attributes, without those that any replacement makes anew."""
    told = [one for one in change.attributes if _is_worth_telling(change, one)]
    lines = [f"- {one.path}: `{_quoted(one.before)}` -> `{_quoted(one.after)}`" for one in told]
    return ["", f"`{change.address}`", "", *lines] if lines else []


def _is_worth_telling(change: Change, one: AttributeChange) -> bool:
    return (
        change.action is not Action.REPLACE or one.after != UNKNOWN or one.path in change.forced_by
    )


def _quoted(value: str) -> str:
    return value.replace("`", "'")
