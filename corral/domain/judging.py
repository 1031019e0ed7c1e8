"""Whether a run may do what a plan says: rules by type and action, and the approvals of people."""

from collections.abc import Collection, Sequence
from datetime import date

from corral.domain.plans import Action, Approval, Change, Plan, Ruling, Verdict

LOSSES = {
    Action.REPLACE: "replace",
    Action.DELETE: "destroy",
    Action.FORGET: "no longer look after",
}
"""Actions after which a resource is gone, from AWS or from the state, and what they do to it."""

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
}
"""Types whose loss costs data, or the whole cluster, and what a human calls them."""

SERVING = {
    "aws_security_group": "the rules of everything that is in this group",
    "aws_lb": "the load balancer",
    "aws_eip": "an address that others may have let in",
    "aws_nat_gateway": "the way out of the network",
    "aws_autoscaling_group": "a group and all its instances",
    "aws_instance": "an instance",
}
"""Types whose loss interrupts what runs, and what a human calls them."""

_RESTARTS = "the database restarts, with every server of Rancher"
_WAITS = "its fixed parameters wait for a restart of the database"
_SLOWS = "the database may be slow for hours"
DISRUPTIVE = {
    "aws_db_instance": {
        "allocated_storage": _SLOWS,
        "ca_cert_identifier": _RESTARTS,
        "db_subnet_group_name": _RESTARTS,
        "engine_version": _RESTARTS,
        "identifier": _RESTARTS,
        "instance_class": _RESTARTS,
        "iops": _SLOWS,
        "multi_az": _SLOWS,
        "option_group_name": _RESTARTS,
        "parameter_group_name": _WAITS,
        "port": _RESTARTS,
        "storage_throughput": _SLOWS,
        "storage_type": _SLOWS,
    },
}
"""Attributes whose change in place is felt, and how.

Source: Amazon RDS user guide, "Settings for DB instances", columns on downtime and performance.
"""


def judge(
    plan: Plan,
    *,
    stack: str,
    approvals: Collection[Approval],
    today: date,
    agreed: Collection[Change] = (),
) -> tuple[Verdict, ...]:
    """Return a verdict for each change, in the plan's order.

    Args:
        plan: What would be done.
        stack: The stack's name, `vpc` or `host-pool/web`.
        approvals: What this run may do although it would otherwise not.
        today: The day on which approvals have to count.
        agreed: Changes that a person was shown and agreed to, each exactly as it was shown. They
            need no other approval; what is forbidden stays so.

    """
    return tuple(
        Verdict(change, *_rule(change, stack, approvals, today, agreed)) for change in plan.changes
    )


def read_approvals(
    texts: Sequence[str], stacks: Collection[str]
) -> tuple[tuple[Approval, ...], list[str]]:
    """Return what the texts approve, and a sentence for each that can approve nothing.

    Args:
        texts: As `Approval.parse` takes them.
        stacks: Names of all stacks of the run.

    """
    approvals, faults = [], []
    for text in texts:
        try:
            approval = Approval.parse(text)
        except ValueError as fault:
            faults.append(str(fault))
            continue
        approvals.append(approval)
        if approval.stack not in stacks:
            faults.append(f"`{text}` names the stack `{approval.stack}`; there are {_list(stacks)}")
    return tuple(approvals), faults


def find_idle(
    verdicts: Collection[Verdict], *, stack: str, approvals: Collection[Approval]
) -> list[Approval]:
    """Return the approvals that are meant for this stack and match nothing that asks for one."""
    asking = [verdict.change for verdict in verdicts if _asks(verdict.change)]
    return [
        approval
        for approval in approvals
        if approval.stack == stack and not any(approval.names(stack, c.address) for c in asking)
    ]


def _rule(
    change: Change,
    stack: str,
    approvals: Collection[Approval],
    today: date,
    agreed: Collection[Change],
) -> tuple[Ruling, str]:
    if not _asks(change):
        return Ruling.SAFE, ""
    named = [approval for approval in approvals if approval.names(stack, change.address)]
    is_protected = _is_protected(change)
    if any(approval.counts(today, needs_date=is_protected) for approval in named):
        return Ruling.SAFE, f"would {_deed(change)}; approved"
    if change in agreed and not is_protected:
        return Ruling.SAFE, f"would {_deed(change)}; approved in a form"
    what = f"{change.address}: would {_deed(change)}{_worthless(named, today)}; if that is wanted,"
    name = f"{stack}:{change.address}"
    if is_protected:
        remedy = f"approve `{name} until YYYY-MM-DD`, with the last day it may."
        return Ruling.FORBIDDEN, f"{what} {remedy}"
    return Ruling.NEEDS_APPROVAL, f"{what} approve `{name}`."


def _worthless(named: Collection[Approval], today: date) -> str:
    """Return why approvals that name the resource did not do."""
    if not named:
        return ""
    ends = [approval.until for approval in named if approval.until and approval.is_over(today)]
    return f" (its approval ended on {max(ends)})" if ends else " (its approval has no date)"


def _asks(change: Change) -> bool:
    return change.action in LOSSES or bool(_felt(change))


def _is_protected(change: Change) -> bool:
    return change.action in LOSSES and change.type in PROTECTED


def _felt(change: Change) -> dict[str, str]:
    """Return the attributes that change in place and are felt, and how each is.

    Nobody feels what becomes of a resource that is only being taken over.
    """
    if change.action is not Action.UPDATE:
        return {}
    how = DISRUPTIVE.get(change.type, {})
    return {name: how[name] for name in change.changed if name in how}


def _deed(change: Change) -> str:
    if felt := _felt(change):
        told = [str(one) for one in change.attributes if one.path.split(".")[0] in felt]
        return f"change {', '.join(told)}, and {'; '.join(dict.fromkeys(felt.values()))}"
    noun = PROTECTED.get(change.type) or SERVING.get(change.type) or f"an {change.type}"
    why = f" ({change.why})" if change.why else ""
    return f"{LOSSES[change.action]} {noun}{why}"


def _list(names: Collection[str]) -> str:
    return ", ".join(names)
