"""What people are told of drift: a problem for each stack, and rows of a table."""

from collections.abc import Iterator, Sequence
from typing import Final

from corral.domain.alerts import Problem, Severity
from corral.domain.attributes import AttributeChange
from corral.domain.drift import ADDED_TO, Deviation, Look

DRIFT: Final = "drift"
"""Kind of the problem that a stack was changed by hand."""
BLIND: Final = "drift-unknown"
"""Kind of the problem that nobody knows whether it was."""

_WITHOUT_ATTRIBUTES: Final = (AttributeChange("", "", ""),)


def find_problems(cluster: str, looks: Sequence[Look]) -> list[Problem]:
    """Return one problem for each stack that was changed by hand, and for each cause of blindness.

    Several stacks may be blind for one cause: those that build on one that is not there.
    """
    faults = dict.fromkeys(look.fault for look in looks if look.fault)
    blind = [
        _blind(cluster, [one.stack for one in looks if one.fault == why], why) for why in faults
    ]
    return [*(_drifted(cluster, look) for look in looks if look.by_hand), *blind]


def find_settled(looks: Sequence[Look]) -> set[str]:
    """Return what these looks settle, for `plan_alerts`: of blind ones nothing is known.

    If there are none, alerts of stacks that are no more are over as well.
    """
    if not any(look.fault for look in looks):
        return {DRIFT, BLIND}
    seen = [look.stack for look in looks if not look.fault]
    return {f"{kind}/{stack}" for stack in seen for kind in (DRIFT, BLIND)}


def rows(looks: Sequence[Look]) -> list[dict[str, str]]:
    """Return the table: one row for each attribute, and one for each stack without any."""
    return [row for look in looks for row in _rows_of(look)]


def count(looks: Sequence[Look]) -> str:
    """Say how many stacks are how, as `5 in step, 1 changed by hand`."""
    blind = sum(bool(look.fault) for look in looks)
    drifted = sum(bool(look.by_hand) for look in looks)
    waiting = sum(bool(look.planned and not look.by_hand) for look in looks)
    numbers = {
        "in step": len(looks) - blind - drifted - waiting,
        "changed by hand": drifted,
        "with changes that wait to be applied": waiting,
        "not looked at": blind,
    }
    return ", ".join(f"{number} {what}" for what, number in numbers.items() if number)


def _blind(cluster: str, stacks: Sequence[str], fault: str) -> Problem:
    title = f"nobody knows whether {', '.join(stacks)} of {cluster} was changed by hand"
    return Problem(BLIND, stacks[0], "", Severity.WARNING, title, fault)


def _drifted(cluster: str, look: Look) -> Problem:
    found = "\n".join(f"- {one}" for one in look.by_hand)
    return Problem(
        kind=DRIFT,
        scope=look.stack,
        subject="",
        severity=Severity.WARNING,
        title=f"{look.stack} of {cluster} was changed by hand",
        text=f"{found}\n{_remedy(cluster, look.by_hand)}",
    )


def _remedy(cluster: str, deviations: Sequence[Deviation]) -> str:
    """Say what to do; what was added is in no state, so that no apply takes it away."""
    added = any(one.what == ADDED_TO for one in deviations)
    others = any(one.what != ADDED_TO for one in deviations)
    remedies = [
        f"build-cluster/{cluster} puts back what was changed or deleted." if others else "",
        "Remove by hand what was added: no run does." if added else "",
        "What shall stay belongs into the cluster file, or into the stack's files.",
    ]
    return " ".join(filter(None, remedies))


def _rows_of(look: Look) -> Iterator[dict[str, str]]:
    if look.fault:
        yield _row(look, what=look.fault, cause="not looked at")
    elif not look.deviations:
        yield _row(look, cause="in step")
    for one in look.deviations:
        for attribute in one.attributes or _WITHOUT_ATTRIBUTES:
            yield _row(
                look,
                cause=one.cause,
                resource=one.address,
                what=one.what,
                attribute=attribute.path,
                before=attribute.before,
                after=attribute.after,
            )


def _row(look: Look, **cells: str) -> dict[str, str]:
    columns = ("cause", "resource", "what", "attribute", "before", "after")
    return {"stack": look.stack} | {name: cells.get(name, "") for name in columns}
