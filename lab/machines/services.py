"""One service of a lab machine: its programs, started, restarted and ended as its unit says."""

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from math import inf
from pathlib import Path

from lab.machines.units import Unit

TIMED_OUT = -signal.SIGALRM
"""Exit code the stand-in uses for a program that was killed at its time-out."""
BEGINNING_S = 5.0
"""What a program that stops a unit gets beyond its time-out: it begins at the speed of the computer
that the lab runs on, not of the lab's clock."""
STATE_FOLDER = "var/lib"

Say = Callable[[str], None]


class Service:
    """One unit, and the process that runs for it at the moment."""

    def __init__(
        self,
        unit: Unit,
        root: Path,
        environment: Mapping[str, str],
        logs: Path,
        speed: float,
        say: Say,
    ) -> None:
        self.state = "inactive"
        self.unit = unit
        self._root = root
        self._environment = {**environment, **self._state_folders(), **unit.environment}
        self._log = logs / f"{unit.name}.log"
        self._speed = speed
        self._console = say
        self._starts: deque[float] = deque(maxlen=unit.start_limit_burst)
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._started = asyncio.Event()

    def start(self, after: "Iterable[Service]") -> None:
        """Start it once others are started, unless it runs or is active."""
        if self.state in ("activating", "active"):
            return
        self.state = "activating"
        self._started.clear()
        self._task = asyncio.get_running_loop().create_task(self._run(after))

    async def await_start(self) -> None:
        """Wait until it has been started, or could not be."""
        await self._started.wait()

    async def stop(self) -> None:
        """Run ExecStop if it is active, then end what runs."""
        if self.state == "active":
            self.state = "deactivating"
            self._say("stopping")
            for command in self.unit.exec_stop:
                limit_s = self._scaled(self.unit.stop_timeout_s) + BEGINNING_S
                await self._execute(command, limit_s)
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End what runs without a word."""
        await self._end(signal.SIGKILL)

    def _say(self, text: str) -> None:
        self._console(f"systemd: {self.unit.name} {text}")

    async def _end(self, number: signal.Signals) -> None:
        self.state = "inactive"
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._process is not None and self._process.returncode is None:
            await self._end_process(self._process, number)

    async def _end_process(
        self, process: asyncio.subprocess.Process, number: signal.Signals
    ) -> None:
        _signal_group(process, number)
        try:
            await asyncio.wait_for(process.wait(), self._scaled(self.unit.stop_timeout_s))
        except TimeoutError:
            _signal_group(process, signal.SIGKILL)
            await process.wait()

    async def _run(self, after: "Iterable[Service]") -> None:
        """Start the program, again and again as far as Restart= and the start limit go."""
        for service in after:
            await service.await_start()
        try:
            await self._start_again_and_again()
        finally:
            self._started.set()

    async def _start_again_and_again(self) -> None:
        if not self._meets_conditions():
            self.state = "inactive"
            return
        while self._may_start():
            exit_code = await self._run_once()
            if exit_code == 0:
                self.state = "active" if self.unit.remain_after_exit else "inactive"
            else:
                self.state = "failed"
            self._started.set()
            if not self.unit.restarts_after(exit_code):
                return
            self.state = "activating"
            self._say(f"is started again in {self.unit.restart_s:g} s")
            await asyncio.sleep(self._scaled(self.unit.restart_s))
        self.state = "failed"

    def _meets_conditions(self) -> bool:
        for path in self.unit.condition_paths:
            if not (self._root / path.lstrip("/")).exists():
                self._say(f"skipped: {path} does not exist")
                return False
        return True

    def _may_start(self) -> bool:
        now = time.monotonic()
        window = self._scaled(self.unit.start_limit_interval_s) or inf
        full = len(self._starts) == self.unit.start_limit_burst
        if full and now - self._starts[0] < window:
            self._say("failed: start request repeated too quickly")
            return False
        self._starts.append(now)
        return True

    async def _run_once(self) -> int:
        # A program that is no oneshot runs for as long as it likes once it is started.
        is_limited = self.unit.is_oneshot and self.unit.start_timeout_s != inf
        limit_s = self._scaled(self.unit.start_timeout_s) if is_limited else None
        self._say("starting")
        for command in self.unit.exec_start:
            exit_code = await self._execute(command, limit_s)
            if exit_code != 0:
                return exit_code
        return 0

    async def _execute(self, command: tuple[str, ...], limit_s: float | None) -> int:
        """Run a program to its end, or to its limit in seconds, and return its exit code."""
        program = self._root / command[0].lstrip("/")
        if not program.exists():
            self._say(f"failed: {command[0]} does not exist")
            return 203  # EXIT_EXEC. Source: systemd.exec(5), "Process exit codes"
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                str(program),
                *command[1:],
                env=dict(self._environment),
                cwd=self._root,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._process = process
        try:
            exit_code = await asyncio.wait_for(process.wait(), limit_s)
        except TimeoutError:
            await self._end_process(process, signal.SIGTERM)
            exit_code = TIMED_OUT
        self._say(f"{command[0]} ended with {exit_code}")
        return exit_code

    def _state_folders(self) -> dict[str, str]:
        """Return the variable that names the unit's state folders, which are made.

        Source: systemd.exec(5), `StateDirectory=`.
        """
        folders = [self._root / STATE_FOLDER / name for name in self.unit.state_directories]
        for folder in folders:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return {"STATE_DIRECTORY": ":".join(map(str, folders))} if folders else {}

    def _scaled(self, seconds: float) -> float:
        return seconds / self._speed


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
