"""One stack from its folder to its outputs: copy, init, plan, judge, apply that plan, read."""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from corral.clients.polling import Waiting, wait_until
from corral.clients.terraform.command import Patience, Terraform
from corral.clients.terraform.copy import WorkingCopy, take_copy
from corral.clients.terraform.engine import Engine, find_engine
from corral.clients.terraform.events import Event, EventKind, Listener
from corral.clients.terraform.installed import Installation, PluginCache
from corral.clients.terraform.job import StackJob
from corral.clients.terraform.mirror import source_for, write_configuration
from corral.clients.terraform.provider import CACHE
from corral.domain.plans import Change, Plan, PlanSummary, Wholeness, find_idle, judge
from corral.errors import GateTimeoutError, TerraformError, UnsafePlanError
from corral.settings import Settings

log = logging.getLogger(__name__)

Question = Callable[[Change], Wholeness]
"""Asks AWS whether a resource whose creation was interrupted is whole."""

_ASK_AGAIN = timedelta(seconds=5)


def _keep(_: PlanSummary) -> None:
    """Take a summary and show it to nobody."""


@dataclass(frozen=True, slots=True)
class StackResult:
    """How a stack stands after a run."""

    outputs: dict[str, Any]
    changes: PlanSummary
    seconds: float


def run_stack(
    job: StackJob,
    settings: Settings,
    *,
    allow: Collection[str],
    is_whole: Question,
    listen: Listener,
    publish: Callable[[PlanSummary], None] = _keep,
) -> StackResult:
    """Bring one stack to what its folder and variables say, and return its outputs.

    Args:
        job: What to run.
        settings: Where things are, and how patient to be.
        allow: What may be destroyed, replaced or let go although it is protected, as
            `STACK:ADDRESS`.
        is_whole: Asked about a resource whose creation was interrupted.
        listen: Hears every event as it happens.
        publish: Given the judged plan before it is applied, and also if it is refused.

    Raises:
        PrerequisiteError: No engine, too old an engine, or no provider.
        CopyBusyError: A Terraform of another run does not come to its end.
        StateLockedError: Somebody else holds the state.
        UnsafePlanError: The plan would do what the run was not allowed to; nothing was changed.
        TerraformError: Anything else that went wrong.

    """
    started = time.monotonic()
    engine = find_engine(settings.terraform, settings.work_dir)
    patience = timedelta(seconds=settings.terraform_deadline_s)
    with take_copy(settings.work_dir, job.key, patience=patience, listen=listen) as copy:
        copy.fill(job.folder, job.variables)
        run = _Run(job, settings, engine, copy, listen)
        plan = run.accept_whole(run.plan(), is_whole)
        changes = _judged(plan, job.stack, allow)
        publish(changes)
        _must_be_safe(changes)
        if not changes.is_empty:
            run.terraform.apply_planned()
        outputs = run.terraform.read_outputs()
    return StackResult(outputs, changes, time.monotonic() - started)


class _Run:
    """The steps of one run that need more than Terraform itself."""

    def __init__(
        self,
        job: StackJob,
        settings: Settings,
        engine: Engine,
        copy: WorkingCopy,
        listen: Listener,
    ) -> None:
        source = source_for(engine, settings)
        cache = settings.work_dir / CACHE if source.needs_cache else None
        configuration = write_configuration(source, settings.work_dir)
        self._backend = job.backend_options()
        self._listen = listen
        self._patience = Patience(
            lock=timedelta(seconds=settings.lock_wait_s),
            command=timedelta(seconds=settings.terraform_deadline_s),
        )
        self._installation = Installation(
            copy,
            (engine, source, self._backend),
            PluginCache(cache, self._patience.command, listen) if cache else None,
        )
        self.terraform = Terraform(
            engine,
            copy,
            job,
            environment=job.surroundings(configuration, cache),
            patience=self._patience,
            listen=listen,
        )

    def plan(self) -> Plan:
        """Plan, after `init` if that is needed."""
        if not self._installation.is_current():
            with self._installation.renewed():
                self.terraform.initialise(self._backend)
        try:
            return self.terraform.plan_changes()
        except TerraformError:
            self._installation.forget()  # it may be at fault; the next run finds out
            raise

    def accept_whole(self, plan: Plan, is_whole: Question) -> Plan:
        """Take what is tainted, but whole in AWS, into use; return the plan that is left then."""
        whole = [change for change in plan.tainted if self._becomes_whole(change, is_whole)]
        for change in whole:
            log.info("%s was interrupted while it was made, but AWS has it whole", change.address)
            self.terraform.accept(change.address)
        return self.terraform.plan_changes() if whole else plan

    def _becomes_whole(self, change: Change, is_whole: Question) -> bool:
        answers: list[Wholeness] = []

        def probe() -> list[str]:
            answers.append(is_whole(change))
            return ["AWS is still making it"] if answers[-1] is Wholeness.COMING else []

        try:
            wait_until(
                f"{change.address}, left behind by an interrupted run, is whole",
                probe,
                deadline=self._patience.command,
                interval=_ASK_AGAIN,
                on_wait=self._say_waiting,
            )
        except GateTimeoutError:
            return False
        return answers[-1] is Wholeness.WHOLE

    def _say_waiting(self, waiting: Waiting) -> None:
        self._listen(Event(EventKind.WAITING, str(waiting)))


def _judged(plan: Plan, stack: str, allow: Collection[str]) -> PlanSummary:
    for entry in find_idle(plan, stack=stack, allowed=allow):
        log.warning("%s was allowed to go, but the plan leaves it: check the address", entry)
    return PlanSummary(stack, judge(plan, stack=stack, allowed=allow), plan.outputs)


def _must_be_safe(changes: PlanSummary) -> None:
    if refusals := [verdict.refusal for verdict in changes.verdicts if not verdict.safe]:
        raise UnsafePlanError(changes.stack, refusals)
