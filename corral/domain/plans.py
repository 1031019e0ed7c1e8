"""What a Terraform plan would do, and whether a run may do it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

PROTECTED = {
    "aws_db_instance": "the database",
    "aws_db_parameter_group": "the database's parameters",
    "aws_db_subnet_group": "the database's place in the network",
    "aws_vpc": "the network",
    "aws_subnet": "a part of the network",
    "aws_acm_certificate": "the certificate",
    "aws_s3_bucket": "a bucket and what is in it",
    "aws_secretsmanager_secret": "a secret",
    "aws_secretsmanager_secret_version": "what a secret holds",
    "aws_security_group": "the rules of everything that is in this group",
    "aws_lb": "the load balancer",
    "aws_eip": "an address that others may have let in",
    "aws_nat_gateway": "the way out of the network",
    "aws_autoscaling_group": "a group and all its instances",
    "aws_instance": "an instance",
}
"""Types whose loss costs data, or a running service, and what a human calls them."""


class Action(StrEnum):
    """What happens to one resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FORGET = "forget"


LOSSES = {
    Action.REPLACE: "replace",
    Action.DELETE: "destroy",
    Action.FORGET: "no longer look after",
}
"""Actions after which a resource is gone, from AWS or from the state, and what they do to it."""


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

    @property
    def is_safe(self) -> bool:
        """Whether the run may make all of these changes."""
        return all(verdict.safe for verdict in self.verdicts)

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
        refused = "" if self.is_safe else "; refused, nothing was changed"
        head = f"**{self.stack}**: {self}{refused}"
        if not self.verdicts:
            return head
        rows = [_row(verdict) for verdict in self.verdicts]
        return "\n".join([head, "", "| resource | action | why |", "|---|---|---|", *rows])


def judge(plan: Plan, *, stack: str, allowed: Collection[str]) -> tuple[Verdict, ...]:
    """Return a verdict for each change, in the plan's order.

    Args:
        plan: What would be done.
        stack: The stack's name, `vpc` or `host-pool/web`.
        allowed: What this run may destroy, replace or let go although it is protected, each as
            `STACK:ADDRESS`. Every index of a resource has to be named on its own.

    """
    return tuple(Verdict(change, _refusal(change, stack, allowed)) for change in plan.changes)


def find_faults(allowed: Collection[str], stacks: Collection[str]) -> list[str]:
    """Return a sentence for each entry that can allow nothing, since it names no stack's resource.

    Args:
        allowed: As `judge` takes it.
        stacks: Names of all stacks of the run.

    """
    faults = []
    for entry in allowed:
        stack, _, address = entry.partition(":")
        if not address.strip():
            faults.append(f"`{entry}` is no STACK:ADDRESS, as `database:aws_db_instance.this` is")
        elif stack not in stacks:
            faults.append(f"`{entry}` names the stack `{stack}`; there are {', '.join(stacks)}")
    return faults


def find_idle(plan: Plan, *, stack: str, allowed: Collection[str]) -> list[str]:
    """Return the entries of `allowed` that are meant for this stack and match nothing it loses."""
    lost = {f"{stack}:{change.address}" for change in plan.changes if change.action in LOSSES}
    return [entry for entry in allowed if entry.startswith(f"{stack}:") and entry not in lost]


def _refusal(change: Change, stack: str, allowed: Collection[str]) -> str:
    noun = PROTECTED.get(change.type)
    verb = LOSSES.get(change.action)
    name = f"{stack}:{change.address}"
    if noun is None or verb is None or name in allowed:
        return ""
    why = f" ({change.why})" if change.why else ""
    return (
        f"{change.address}: would {verb} {noun}{why}; if that is wanted, name `{name}` in the run."
    )


def _row(verdict: Verdict) -> str:
    change = verdict.change
    changed = f"changes {', '.join(change.changed)}" if change.action is Action.UPDATE else ""
    why = verdict.refusal or change.why or changed
    return f"| `{change.address}` | {change.action} | {why.replace('|', '/')} |"
