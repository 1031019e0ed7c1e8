"""What a stack is worked on with: its working copy, an engine, and Terraform between both."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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
from corral.domain.plan_files import read_plan
from corral.domain.plans import Change, Plan, Wholeness
from corral.errors import GateTimeoutError, TerraformError
from corral.settings import Settings

log = logging.getLogger(__name__)

Question = Callable[[Change], Wholeness]
"""Asks AWS whether a resource whose creation was interrupted is whole."""

_ASK_AGAIN = timedelta(seconds=5)


@contextmanager
def opened(job: StackJob, settings: Settings, listen: Listener) -> Iterator["Run"]:
    """Hold the stack's working copy, alone, filled with its files and variables.

    Raises:
        PrerequisiteError: No engine, or too old an engine.
        CopyBusyError: A Terraform of another run does not come to its end.
        TerraformError: There is no such stack, or an earlier run left a state unsaved.

    """
    engine = find_engine(settings.terraform, settings.work_dir)
    patience = timedelta(seconds=settings.terraform_deadline_s)
    with take_copy(settings.work_dir, job.key, patience=patience, listen=listen) as copy:
        copy.fill(job.folder, job.variables)
        yield Run(job, settings, engine, copy, listen)


class Run:
    """One stack in its working copy: Terraform, and what it takes to have it work."""

    def __init__(
        self,
        job: StackJob,
        settings: Settings,
        engine: Engine,
        copy: WorkingCopy,
        listen: Listener,
    ) -> None:
        """Prepare; nothing runs yet. `opened` is the door."""
        source = source_for(engine, settings)
        cache = settings.work_dir / CACHE if source.needs_cache else None
        configuration = write_configuration(source, settings.work_dir)
        self.copy = copy
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

    def initialise(self) -> None:
        """Do `init`, if it would change anything."""
        if not self._installation.is_current():
            with self._installation.renewed():
                self.terraform.initialise(self._backend)

    def plan(
        self, *, destroy: bool = False, lock: bool = True, targets: Sequence[str] = ()
    ) -> Plan:
        """Plan, after `init` if that is needed.

        Args:
            destroy: Plan the end of everything in the state.
            lock: Hold the state's lock meanwhile; a plan that nobody applies needs none.
            targets: Addresses that it is about, with what they depend on; none is everything.

        """
        self.initialise()
        try:
            return self.terraform.plan_changes(destroy=destroy, lock=lock, targets=targets)
        except TerraformError:
            self._installation.forget()  # it may be at fault; the next run finds out
            raise

    def saved_plan(self) -> Plan:
        """Return what the plan that was saved last would do."""
        self.initialise()
        return read_plan(self.document())

    def document(self) -> dict[str, Any]:
        """Return the JSON of the plan that was saved last; it holds secrets."""
        return self.terraform.document()

    def accept_whole(self, plan: Plan, is_whole: Question) -> Plan:
        """Take what is tainted, but whole in AWS, into use; return the plan that is left then."""
        whole = [change for change in plan.tainted if self.becomes_whole(change, is_whole)]
        for change in whole:
            log.info("%s was interrupted while it was made, but AWS has it whole", change.address)
            self.terraform.accept(change.address)
        return self.terraform.plan_changes() if whole else plan

    def write(self, name: str, code: str) -> None:
        """Add a file to the stack's own, until the working copy is filled anew."""
        (self.copy.folder / name).write_text(code, encoding="utf-8")

    def becomes_whole(self, change: Change, is_whole: Question) -> bool:
        """Wait for what AWS may still be making; return whether it is there in the end."""
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
