"""What a Terraform plan would do, and whether a run may do it.

Pure: reads the JSON of `terraform show -json PLANFILE` and decides. Attributes leave this module by
name, never by value, since a plan may hold secrets; what names a resource in AWS is the exception.

Source: developer.hashicorp.com/terraform/internals/json-format, format version 1.2.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from corral.errors import TerraformError

FORMAT_MAJOR = "1"

PROTECTED = {
    "aws_db_instance": "the database",
    "aws_db_parameter_group": "the database's parameters",
    "aws_db_subnet_group": "the database's place in the network",
    "aws_vpc": "the network",
    "aws_subnet": "a part of the network",
    "aws_acm_certificate": "the certificate",
    "aws_s3_bucket": "a bucket and what is in it",
    "aws_secretsmanager_secret": "a secret",
    "aws_autoscaling_group": "a group and all its instances",
    "aws_instance": "an instance",
}
"""Types whose destruction costs data, or a running service, and what a human calls them."""


class Action(StrEnum):
    """What happens to one resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FORGET = "forget"


IDENTITY = ("id", "arn", "identifier")

DESTRUCTIVE = frozenset({Action.REPLACE, Action.DELETE})

_ACTIONS = {
    ("create",): Action.CREATE,
    ("update",): Action.UPDATE,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
    ("delete",): Action.DELETE,
    ("forget",): Action.FORGET,
    ("create", "forget"): Action.REPLACE,
}

_REASONS = {
    "replace_because_tainted": "its creation was interrupted or failed",
    "replace_because_cannot_update": "it cannot be changed in place",
    "replace_by_request": "the run asked for it",
    "replace_by_triggers": "something it depends on changes",
    "delete_because_no_resource_config": "it is no longer in the stack's files",
    "delete_because_no_module": "its module is no longer in the stack's files",
    "delete_because_wrong_repetition": "its count or for_each changed",
    "delete_because_count_index": "its count became smaller",
    "delete_because_each_key": "its key is no longer in for_each",
    "delete_because_no_move_target": "it was moved to where nothing is",
}


@dataclass(frozen=True, slots=True)
class Change:
    """What the plan does to one resource; attributes by name, never by value."""

    address: str
    type: str
    action: Action
    reason: str = ""
    forced_by: tuple[str, ...] = ()
    """Attributes that cannot change in place, so that the resource must be replaced."""
    changed: tuple[str, ...] = ()
    """Top-level attributes that differ; those only known after apply are not among them."""
    tainted: bool = False
    identity: Mapping[str, str] = field(default_factory=dict)
    """What names the resource in AWS, as far as it is known: `id`, `arn`, `identifier`."""

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


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one change may be made; a refusal has its reason."""

    change: Change
    refusal: str = ""

    @property
    def safe(self) -> bool:
        """Whether the run may make this change."""
        return not self.refusal


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
        """Return a table of the changes; names of attributes only, no values."""
        head = f"**{self.stack}**: {self}"
        if not self.verdicts:
            return head
        rows = [_row(verdict) for verdict in self.verdicts]
        return "\n".join([head, "", "| resource | action | why |", "|---|---|---|", *rows])


def read_plan(document: Mapping[str, Any]) -> Plan:
    """Return what the plan would do; data that is only read and resources that stay are left out.

    Args:
        document: The JSON of `terraform show -json PLANFILE`.

    Raises:
        TerraformError: The format is one this code does not know.

    """
    version = str(document.get("format_version", "none"))
    if version.split(".", maxsplit=1)[0] != FORMAT_MAJOR:
        raise TerraformError(
            f"The plan's JSON has format {version}, corral reads format {FORMAT_MAJOR}.x: "
            "use a Terraform that writes it, or a newer corral."
        )
    changes = [_read_change(entry) for entry in document.get("resource_changes", [])]
    outputs = document.get("output_changes", {})
    return Plan(
        changes=tuple(change for change in changes if change),
        outputs=tuple(sorted(n for n, change in outputs.items() if change["actions"] != ["no-op"])),
    )


def judge(plan: Plan, *, stack: str, allowed: Collection[str]) -> tuple[Verdict, ...]:
    """Return a verdict for each change, in the plan's order.

    Args:
        plan: What would be done.
        stack: The stack's name, `vpc` or `host-pool/web`.
        allowed: What this run may destroy or replace although it is protected, each as
            `STACK:ADDRESS`. Every index of a resource has to be named on its own.

    """
    return tuple(Verdict(change, _refusal(change, stack, allowed)) for change in plan.changes)


def _refusal(change: Change, stack: str, allowed: Collection[str]) -> str:
    noun = PROTECTED.get(change.type)
    name = f"{stack}:{change.address}"
    if noun is None or change.action not in DESTRUCTIVE or name in allowed:
        return ""
    verb = "destroy" if change.action is Action.DELETE else "replace"
    why = f" ({change.why})" if change.why else ""
    return (
        f"{change.address}: would {verb} {noun}{why}; if that is wanted, name `{name}` in the run."
    )


def _read_change(entry: Mapping[str, Any]) -> Change | None:
    change = entry["change"]
    action = _ACTIONS.get(tuple(change["actions"]))
    if action is None:  # "no-op" and "read"
        return None
    reason = entry.get("action_reason", "")
    return Change(
        address=entry["address"],
        type=entry["type"],
        action=action,
        reason=_REASONS.get(reason, reason.replace("_", " ")),
        forced_by=tuple(sorted({_dotted(path) for path in change.get("replace_paths", [])})),
        changed=_changed(change) if action is not Action.CREATE else (),
        tainted=reason == "replace_because_tainted",
        identity=_identity(change.get("before") or {}),
    )


def _changed(change: Mapping[str, Any]) -> tuple[str, ...]:
    before, after = change.get("before") or {}, change.get("after") or {}
    return tuple(sorted(name for name in after if before.get(name) != after[name]))


def _identity(before: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(before[name]) for name in IDENTITY if before.get(name)}


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(str(step) for step in path)


def _row(verdict: Verdict) -> str:
    change = verdict.change
    changed = f"changes {', '.join(change.changed)}" if change.action is Action.UPDATE else ""
    why = verdict.refusal or change.why or changed
    return f"| `{change.address}` | {change.action} | {why.replace('|', '/')} |"
