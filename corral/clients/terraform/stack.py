"""One stack from its folder to its outputs: copy, init, plan, judge, apply that plan, read."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from corral.clients.terraform.adoption import adopt
from corral.clients.terraform.events import Listener
from corral.clients.terraform.holders import Held, Watch, held
from corral.clients.terraform.job import StackJob
from corral.clients.terraform.run import Question, Run, opened
from corral.domain.judging import find_idle, judge
from corral.domain.plans import Action, Approval, Plan, PlanSummary, Ruling
from corral.errors import StalePlanError, UnsafePlanError
from corral.settings import Settings

log = logging.getLogger(__name__)


def _keep(_: PlanSummary) -> None:
    """Take a summary and show it to nobody."""


@dataclass(frozen=True, slots=True)
class StackResult:
    """How a stack stands after a run."""

    outputs: dict[str, Any]
    changes: PlanSummary
    seconds: float


@dataclass(frozen=True, slots=True)
class Unapproved:
    """A plan that waits for somebody's approval; nothing was changed."""

    changes: PlanSummary
    saved: str
    """Digest of the file that holds it."""


@dataclass(frozen=True, slots=True)
class Mandate:
    """What a run may do to a stack, and what it shall do."""

    approvals: tuple[Approval, ...]
    today: date
    """The day on which approvals have to count."""
    agreed: Unapproved | None = None
    """What a person was shown and agreed to: applied as it was saved, as long as it is not stale;
    a plan that is made anew may make the same changes, and no other that need an approval."""
    destroy: bool = False
    """Whether everything in the state shall go."""
    in_place: tuple[str, ...] = ()
    """Addresses that alone are to be changed, as far as they can be without being made anew."""


def run_stack(
    job: StackJob,
    settings: Settings,
    mandate: Mandate,
    watch: Watch,
    *,
    is_whole: Question,
    listen: Listener,
    publish: Callable[[PlanSummary], None] = _keep,
) -> StackResult | Unapproved:
    """Bring one stack to what its folder and variables say, and return its outputs.

    A plan that needs an approval is returned instead, and nothing was changed.

    Args:
        job: What to run.
        settings: Where things are, and how patient to be.
        mandate: What may be done.
        watch: On whose behalf, and who knows of others that may have died at it.
        is_whole: Asked about a resource whose creation was interrupted.
        listen: Hears every event as it happens.
        publish: Given each judged plan before it is applied, and also if it is not.

    Raises:
        PrerequisiteError: No engine, too old an engine, or no provider.
        CopyBusyError: A Terraform of another run does not come to its end.
        StateLockedError: Somebody else holds the state.
        UnsafePlanError: The plan would do what is forbidden; nothing was changed.
        TerraformError: Anything else that went wrong.

    """
    started = time.monotonic()
    longest = timedelta(seconds=settings.terraform_deadline_s)
    with opened(job, settings, listen) as run, held(job, run.copy, watch, longest) as work:
        end = _Steps(run, job.stack, mandate, watch, work, is_whole, publish).take()
        if isinstance(end, Unapproved):
            return end
        outputs = run.terraform.read_outputs()
    return StackResult(outputs, end, time.monotonic() - started)


def read_stack(job: StackJob, settings: Settings, *, listen: Listener) -> dict[str, Any]:
    """Return the outputs of a stack as its last run left them; nothing is planned or changed.

    A stack that was never applied has none.

    Raises:
        PrerequisiteError: No engine, too old an engine, or no provider.
        CopyBusyError: A Terraform of another run does not come to its end.
        TerraformError: Anything else that went wrong.

    """
    with opened(job, settings, listen) as run:
        run.initialise()
        return run.terraform.read_outputs()


@dataclass(frozen=True, slots=True)
class _Steps:
    """From a plan to what became of it."""

    run: Run
    stack: str
    mandate: Mandate
    watch: Watch
    work: Held
    is_whole: Question
    publish: Callable[[PlanSummary], None]

    def take(self) -> PlanSummary | Unapproved:
        if self._is_still_saved():
            try:
                return self._carry_out(self.run.saved_plan())
            except StalePlanError:
                log.info("the state of %s moved on since its plan was shown", self.stack)
        return self._carry_out(self._plan())

    def _is_still_saved(self) -> bool:
        agreed = self.mandate.agreed
        saved = self.run.terraform.digest_of_plan()
        return agreed is not None and agreed.saved == saved != ""

    def _plan(self) -> Plan:
        if self.mandate.destroy:
            return self.run.plan(destroy=True)
        if self.mandate.in_place:
            return self._plan_in_place(self.mandate.in_place)
        plan = self.run.accept_whole(self.run.plan(), self.is_whole)
        return (
            adopt(self.run, plan, self.watch.find, self.is_whole) if self.work.unsettled else plan
        )

    def _plan_in_place(self, targets: Sequence[str]) -> Plan:
        """Plan the change of these; one that is gone, and would be made anew, is left out."""
        plan = self.run.plan(targets=targets)
        if plan.tainted:
            self.run.accept_whole(plan, self.is_whole)
            plan = self.run.plan(targets=targets)
        anew = {change.address for change in plan.changes if change.action is not Action.UPDATE}
        left = [target for target in targets if target not in anew]
        if len(left) == len(targets):
            return plan
        return self._plan_in_place(left) if left else Plan()

    def _carry_out(self, plan: Plan) -> PlanSummary | Unapproved:
        changes = self._judged(plan)
        self.publish(changes)
        if forbidden := changes.refusals(Ruling.FORBIDDEN):
            raise UnsafePlanError(self.stack, forbidden)
        if changes.ruling is Ruling.NEEDS_APPROVAL:
            return Unapproved(changes, self.run.terraform.digest_of_plan())
        if not changes.is_empty:
            self.run.terraform.apply_planned()
        # What was made, and is unknown to the state, is taken in by a whole plan only.
        self.work.unsettled &= self.mandate.destroy or bool(self.mandate.in_place)
        return changes

    def _judged(self, plan: Plan) -> PlanSummary:
        approvals, agreed = self.mandate.approvals, self.mandate.agreed
        verdicts = judge(
            plan,
            stack=self.stack,
            approvals=approvals,
            today=self.mandate.today,
            agreed=[verdict.change for verdict in agreed.changes.verdicts] if agreed else [],
        )
        idle = find_idle(verdicts, stack=self.stack, approvals=approvals)
        # What is destroyed may be gone already, by a run that died.
        for approval in () if self.mandate.destroy else idle:
            log.warning("`%s` approves nothing that the plan does: check the address", approval)
        return PlanSummary(self.stack, verdicts, plan.outputs)
