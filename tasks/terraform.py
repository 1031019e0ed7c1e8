"""Prefect's view of a Terraform stack: apply or destroy it as far as people allow."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, cast

from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.futures import PrefectConcurrentFuture, PrefectFuture
from prefect.states import Completed

from corral.clients.aws import wholeness
from corral.clients.process import engines_end_with_us
from corral.clients.terraform import Mandate, StackResult, Unapproved, run_stack
from corral.domain.plans import Approval, PlanSummary, Ruling
from corral.domain.stacks import Stack
from corral.errors import ApprovalNeededError, CorralError, TerraformError, UnsafePlanError
from tasks import connect
from tasks.forms import ask_for_approval
from tasks.progress import progress
from tasks.retries import patient_task
from tasks.stacks import Narrator, Out, job_of, outputs_of, place_among_others
from tasks.watches import watch_of

SHORT_S = 0.5


@dataclass(frozen=True)
class Consent:
    """What people allow a run: named beforehand, or asked for when a plan needs it."""

    approvals: tuple[Approval, ...] = ()
    ask: bool = True
    """Whether the run may pause with a form; without, such a plan ends it at once."""


@dataclass(frozen=True)
class Applied(Generic[Out]):
    """A stack as it stands after a run: its outputs, and what the run changed."""

    name: str
    outputs: Out
    changes: PlanSummary


@dataclass(frozen=True)
class Wish:
    """What shall become of a stack, and what a person has agreed to of it."""

    stack: Stack[Any]
    consent: Consent
    destroy: bool = False
    agreed: Unapproved | None = None
    in_place: tuple[str, ...] = ()

    @property
    def deed(self) -> str:
        """What is done, for the names of runs."""
        if self.in_place:
            return "unlock"
        return "destroy" if self.destroy else "apply"

    def mandate(self) -> Mandate:
        """Return what Terraform may do today."""
        today = datetime.now(UTC).date()
        return Mandate(self.consent.approvals, today, self.agreed, self.destroy, self.in_place)


End = StackResult | Unapproved | CorralError
"""What came of a wish; an error is kept, so that it does not stop the others."""


def apply_stack(stack: Stack[Out], consent: Consent) -> Applied[Out]:
    """Bring one stack to what its model says, and return its outputs.

    If the plan needs an approval that is not there, the run pauses until somebody fills in a form.

    Raises:
        UnsafePlanError: The plan does what is forbidden, or nobody approved it.
        GateTimeoutError: Nobody came to fill in the form.
        CorralError: Anything else that went wrong.
    """
    (result,) = _results(_settle([Wish(stack, consent)], _one_by_one))
    return _applied(stack, result)


def apply_side_by_side(stacks: Sequence[Stack[Out]], consent: Consent) -> list[Applied[Out]]:
    """Apply stacks that do not build on each other; one that fails does not stop the others.

    Forms come one after another, once all stacks are planned and those that need none are applied.

    Raises:
        CorralError: The fault of the one stack that failed.
        TerraformError: More than one failed; each is named with its fault.
    """
    results = _results(_settle([Wish(stack, consent) for stack in stacks], _side_by_side))
    return [_applied(stack, result) for stack, result in zip(stacks, results, strict=True)]


def unlock_stack(stack: Stack[Any], addresses: Sequence[str], consent: Consent) -> PlanSummary:
    """Change these resources alone to what the stack's model says, as far as they are there.

    For what has to be told that it may go. Nothing is made anew: a stack that has gone half-way
    stays as it is otherwise.

    Raises:
        CorralError: As `apply_stack` has it.
    """
    wish = Wish(stack, consent, in_place=tuple(addresses))
    (result,) = _results(_settle([wish], _one_by_one))
    return result.changes


def destroy_stack(stack: Stack[Any], consent: Consent) -> PlanSummary:
    """Destroy everything in a stack's state, and return what that was; the empty state stays.

    Each resource needs its approval, as `apply_stack` has it; an empty state needs none.

    Raises:
        UnsafePlanError: A protected resource has no approval with a date, or nobody approved.
        GateTimeoutError: Nobody came to fill in the form.
        CorralError: Anything else that went wrong.
    """
    (result,) = _results(_settle([Wish(stack, consent, destroy=True)], _one_by_one))
    return result.changes


def destroy_side_by_side(stacks: Sequence[Stack[Any]], consent: Consent) -> list[PlanSummary]:
    """Destroy stacks that do not build on each other; one that fails does not stop the others.

    Raises:
        CorralError: As `apply_side_by_side` has it.
    """
    wishes = [Wish(stack, consent, destroy=True) for stack in stacks]
    return [result.changes for result in _results(_settle(wishes, _side_by_side))]


@patient_task("{wish.deed}-{wish.stack.key}", "terraform")
def _carry_out(wish: Wish) -> StackResult | State[Unapproved]:
    """Plan, and apply the plan if it may be; else it awaits approval, if anybody can be asked."""
    stack = wish.stack
    with place_among_others(stack.name), progress().stage(stack.name):
        end = run_stack(
            job_of(stack),
            connect.settings(),
            wish.mandate(),
            watch_of(stack),
            is_whole=lambda change: wholeness(connect.aws(stack.place), change),
            listen=Narrator(stack.name),
            publish=lambda changes: _publish_plan(stack.key, changes),
        )
    if isinstance(end, StackResult):
        return end
    if not wish.consent.ask:
        raise ApprovalNeededError(stack.name, end.changes.refusals(Ruling.NEEDS_APPROVAL))
    return Completed(name="AwaitsApproval", message=str(end.changes), data=end)


def _settle(wishes: Sequence[Wish], run: Callable[[Sequence[Wish]], list[End]]) -> dict[str, End]:
    """Run all wishes, ask for those that need it, and run these again, until none is left.

    Where nobody comes to fill in a form, nobody would come for the next one.
    """
    ends = {wish.stack.name: end for wish, end in zip(wishes, run(wishes), strict=True)}
    again = []
    for wish in wishes:
        end = ends[wish.stack.name]
        if not isinstance(end, Unapproved):
            continue
        try:
            ask_for_approval(wish.stack.key, end.changes)
        except UnsafePlanError as fault:
            ends[wish.stack.name] = fault
        else:
            again.append(replace(wish, agreed=end))
    return ends | _settle(again, run) if again else ends


def _one_by_one(wishes: Sequence[Wish]) -> list[End]:
    runs = [_carry_out(wish, return_state=True) for wish in wishes]
    return [_end_of(run.result) for run in runs]


def _side_by_side(wishes: Sequence[Wish]) -> list[End]:
    with engines_end_with_us():
        runs = [_carry_out.submit(wish) for wish in wishes]
        # In short waits: a signal that comes just as a long one begins would not end it.
        while any(_is_under_way(run) for run in runs):
            time.sleep(SHORT_S)
    return [_end_of(run.result) for run in runs]


def _is_under_way(run: PrefectFuture[Any]) -> bool:
    return not cast("PrefectConcurrentFuture[Any]", run).wrapped_future.done()


def _end_of(run: Callable[[], Any]) -> End:
    try:
        return cast("End", run())
    except CorralError as fault:
        return fault


def _results(ends: Mapping[str, End]) -> list[StackResult]:
    faults = {name: end for name, end in ends.items() if isinstance(end, CorralError)}
    if len(faults) > 1:
        lines = [f"  {name}: {fault}" for name, fault in faults.items()]
        raise TerraformError("\n".join([f"{len(faults)} stacks failed:", *lines]))
    for fault in faults.values():
        raise fault
    return [end for end in ends.values() if isinstance(end, StackResult)]


def _applied(stack: Stack[Out], result: StackResult) -> Applied[Out]:
    return Applied(stack.name, outputs_of(stack, result.outputs), result.changes)


def _publish_plan(key: str, changes: PlanSummary) -> None:
    create_markdown_artifact(changes.as_markdown(), key=f"plan-{key.replace('/', '-')}")
