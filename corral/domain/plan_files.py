"""Reads plans from Terraform's JSON.

What Terraform marks as sensitive is left behind here: attributes that are leave by name only.

Source: developer.hashicorp.com/terraform/internals/json-format, format version 1.2, and
developer.hashicorp.com/terraform/internals/machine-readable-ui.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from corral.domain.attributes import attribute_changes
from corral.domain.plans import Action, Change, Plan
from corral.errors import TerraformError

FORMAT_MAJOR = "1"

IDENTITY = ("id", "arn", "identifier")

_ACTIONS = {
    ("create",): Action.CREATE,
    ("update",): Action.UPDATE,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
    ("delete",): Action.DELETE,
    ("forget",): Action.FORGET,
    ("create", "forget"): Action.REPLACE,
}

_LASTING = {Action.UPDATE, Action.REPLACE, Action.ADOPT}
"""Actions before and after which there is something, so that both can be compared."""

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
    "adopted": "a run that died made it",
}


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


def read_creations(lines: Sequence[Mapping[str, Any]]) -> Plan | None:
    """Return the plan that `terraform plan -json` printed, if all it does is create.

    The lines name resources and actions only. That is enough for what only creates, and spares the
    seconds that Terraform takes to show a plan file; None for any other plan.

    Args:
        lines: What Terraform printed, one JSON object a line.

    """
    planned = [line["change"] for line in lines if line.get("type") == "planned_change"]
    made = [change for change in planned if change["action"] != "read"]
    if any(change["action"] != Action.CREATE for change in made):
        return None
    resources = [change["resource"] for change in made]
    outputs = [_differing(line["outputs"]) for line in lines if line.get("type") == "outputs"]
    return Plan(
        tuple(Change(item["addr"], item["resource_type"], Action.CREATE) for item in resources),
        outputs[-1] if outputs else (),
    )


def _differing(outputs: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(name for name, output in outputs.items() if output["action"] != "noop"))


def _read_change(entry: Mapping[str, Any]) -> Change | None:
    change = entry["change"]
    action = _action(change)
    if action is None:
        return None
    reason = entry.get("action_reason", "adopted" if action is Action.ADOPT else "")
    return Change(
        address=entry["address"],
        type=entry["type"],
        action=action,
        reason=_REASONS.get(reason, reason.replace("_", " ")),
        forced_by=tuple(sorted({_dotted(path) for path in change.get("replace_paths", [])})),
        attributes=attribute_changes(change) if action in _LASTING else (),
        tainted=reason == "replace_because_tainted",
        identity=_identity(change.get("before") or {}),
    )


def _action(change: Mapping[str, Any]) -> Action | None:
    """Return what is done; None for "no-op" and "read"."""
    action = _ACTIONS.get(tuple(change["actions"]))
    is_harmless = action is None or action is Action.UPDATE
    return Action.ADOPT if change.get("importing") and is_harmless else action


def _identity(before: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(before[name]) for name in IDENTITY if before.get(name)}


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(str(step) for step in path)
