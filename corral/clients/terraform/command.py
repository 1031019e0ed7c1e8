"""python-terraform with eyes, a clock and manners: each command is followed, timed, ended well."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import python_terraform
from python_terraform import IsFlagged

from corral.clients.process import ENGINES, DeadlineError, Order
from corral.clients.terraform.copy import WorkingCopy
from corral.clients.terraform.engine import Engine
from corral.clients.terraform.events import Diagnostic, EventKind, Listener, read_event
from corral.clients.terraform.faults import explain
from corral.clients.terraform.job import StackJob
from corral.domain.plan_files import read_creations, read_plan
from corral.domain.plans import Plan
from corral.errors import CorralError, TerraformDeadlineError, TerraformError

log = logging.getLogger(__name__)

PLAN_FILE = ".corral/plan"

_STREAMS = frozenset({"init", "plan", "apply"})
_NO_CHANGE, _CHANGES = 0, 2

_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

_INTENDED = (
    "Incomplete lock file information for providers",
    "Resource targeting is in effect",
    "Applied changes may be incomplete",
)
"""Warnings of what is meant so: a copy's own lock file, a plan that is about single resources."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what."""

    lock: timedelta
    """For a state that somebody else has locked."""
    command: timedelta
    """For one command, and for an earlier run's command in the same working copy."""


class Terraform(python_terraform.Terraform):  # type: ignore[misc]
    """Terraform in one working copy.

    The command lines are python-terraform's; running them is ours, since its own `cmd` has no
    deadline, no environment and no signals, and logs whatever Terraform prints.
    """

    def __init__(
        self,
        engine: Engine,
        copy: WorkingCopy,
        job: StackJob,
        *,
        environment: Mapping[str, str],
        patience: Patience,
        listen: Listener,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            engine: What to run.
            copy: Where to run it.
            job: What is run, for errors and the log.
            environment: All variables the engine sees.
            patience: How long to wait for what.
            listen: Hears every event while a command runs.

        """
        self._copy = copy
        self._job = job
        self._key = job.key
        self._environment = environment
        self._patience = patience
        self._listen = listen
        self._faults: list[Diagnostic] = []
        self._shown: dict[str, Any] | None = None
        super().__init__(working_dir=str(copy.folder), terraform_bin_path=str(engine.path))

    def initialise(self, backend: Mapping[str, str]) -> None:
        """Install the provider and connect the backend."""
        code, _, stderr = self.init(
            json=IsFlagged, backend_config=dict(backend), upgrade=IsFlagged, var=None
        )
        self._must_be(0, code, "init", stderr)

    def plan_changes(
        self, *, destroy: bool = False, lock: bool = True, targets: Sequence[str] = ()
    ) -> Plan:
        """Plan to a file, and return what it would do.

        The file is read back only if it does more than create: `show` takes seconds.

        Args:
            destroy: Plan the end of everything in the state.
            lock: Hold the state's lock meanwhile; a plan that nobody applies needs none.
            targets: Addresses that it is about, with what they depend on; none is everything.

        """
        self._plan.unlink(missing_ok=True)
        self._shown = None
        code, stdout, stderr = self.plan(
            json=IsFlagged,
            out=PLAN_FILE,
            destroy=IsFlagged if destroy else None,
            target=list(targets) or None,
            lock=None if lock else False,
            lock_timeout=self._lock_timeout if lock else None,
            var=None,
        )
        if code == _NO_CHANGE:
            return Plan()
        self._must_be(_CHANGES, code, "plan", stderr)
        return read_creations(_documents(stdout)) or read_plan(self.document())

    def document(self) -> dict[str, Any]:
        """Return the JSON of the plan that was saved last; it holds secrets."""
        if self._shown is None:
            code, shown, stderr = self.cmd("show", PLAN_FILE, json=IsFlagged)
            self._must_be(0, code, "show", stderr)
            document: dict[str, Any] = json.loads(shown)
            self._shown = document
        return self._shown

    def digest_of_plan(self) -> str:
        """Return a digest of the plan that was saved last, empty if there is none."""
        if not self._plan.exists():
            return ""
        return hashlib.sha256(self._plan.read_bytes()).hexdigest()

    def apply_planned(self) -> None:
        """Apply the plan that was made last, and nothing else."""
        code, _, stderr = self.apply(
            PLAN_FILE, json=IsFlagged, lock_timeout=self._lock_timeout, var=None
        )
        self._must_be(0, code, "apply", stderr)

    def read_outputs(self) -> dict[str, Any]:
        """Return the values of all outputs."""
        outputs = self.output()
        if outputs is None:  # python-terraform keeps the reason to itself
            stderr = (self._copy.own / "output.err").read_text(encoding="utf-8", errors="replace")
            raise self._explained("output", self._without_secrets(stderr))
        return {name: output["value"] for name, output in outputs.items()}

    def accept(self, address: str) -> None:
        """Take a resource that was marked as tainted into use as it is."""
        code, _, stderr = self.cmd("untaint", address, lock_timeout=self._lock_timeout)
        self._must_be(0, code, "untaint", stderr)

    def forget(self, addresses: Sequence[str]) -> None:
        """Look no longer after these resources, all in the state; they stay as they are in AWS."""
        code, _, stderr = self.cmd("state rm", *addresses, lock_timeout=self._lock_timeout)
        self._must_be(0, code, "state rm", stderr)

    def cmd(self, cmd: str, *args: str, **options: object) -> tuple[int, str, str]:
        """Run one command to its end; python-terraform's methods all come through here.

        Returns:
            Exit code, stdout and stderr.

        Raises:
            TerraformDeadlineError: It took too long; it was interrupted and has unlocked.

        """
        self._faults = []
        order = self._order(cmd, self.generate_cmd_string(cmd, *args, **options))
        self._copy.sign(f"terraform {cmd}")
        started = time.monotonic()
        try:
            code = ENGINES.run(order, self._reader(cmd))
        except DeadlineError as error:
            raise TerraformDeadlineError(cmd, self._key, order.deadline) from error
        seconds = time.monotonic() - started
        log.info("terraform %s of %s: exit code %d, %.1f s", cmd, self._key, code, seconds)
        stdout = order.stdout.read_text(encoding="utf-8", errors="replace")
        if cmd not in _STREAMS:
            order.stdout.unlink()  # whole outputs and plans: nothing to keep lying about
        stderr = order.stderr.read_text(encoding="utf-8", errors="replace")
        return code, stdout, self._without_secrets(stderr)

    def read_state_file(self, file_path: str | None = None) -> None:
        """Read nothing, although python-terraform would: the state is in the backend.

        What lies in the copy is the backend's note, cut short if `init` was killed.
        """

    @property
    def _plan(self) -> Path:
        return self._copy.folder / PLAN_FILE

    @property
    def _lock_timeout(self) -> str:
        return f"{self._patience.lock.total_seconds():.0f}s"

    def _order(self, cmd: str, argv: list[str]) -> Order:
        return Order(
            name="terraform",
            argv=argv,
            folder=self._copy.folder,
            environment=self._environment,
            stdout=self._copy.own / f"{cmd}.out",
            stderr=self._copy.own / f"{cmd}.err",
            deadline=self._patience.command,
            fault=TerraformError,
            inherit=(self._copy.lock,),
        )

    def _reader(self, cmd: str) -> Callable[[str], None]:
        # `apply` repeats the plan it applies; who listens has heard it.
        unheard = {EventKind.PLANNED} if cmd == "apply" else set()

        def hear(line: str) -> None:
            event = read_event(self._without_secrets(line))
            if event is None or event.kind in unheard or event.text.startswith(_INTENDED):
                return
            if event.diagnostic and event.diagnostic.severity == "error":
                self._faults.append(event.diagnostic)
            self._listen(event)

        return hear if cmd in _STREAMS else lambda _: None

    def _without_secrets(self, words: str) -> str:
        for name in _SECRETS:
            if secret := self._environment.get(name):
                words = words.replace(secret, "***")
        return words

    def _must_be(self, expected: int, code: int, command: str, stderr: str) -> None:
        if code != expected:
            raise self._explained(command, stderr)

    def _explained(self, command: str, stderr: str) -> CorralError:
        return explain(command, self._job, self._copy.folder, self._faults, stderr)


def _documents(stdout: str) -> list[dict[str, Any]]:
    """Return the lines that are JSON objects."""
    return [json.loads(line) for line in stdout.splitlines() if line.startswith("{")]
