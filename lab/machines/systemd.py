"""A stand-in for systemd on one machine: enables and starts services from real unit files."""

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from math import inf
from pathlib import Path

from lab.machines.units import Unit, parse_unit

UNIT_FOLDERS = ("etc/systemd/system", "lib/systemd/system")
TIMED_OUT = -signal.SIGALRM
"""Exit code the stand-in uses for a program that was killed at its time-out."""

Say = Callable[[str], None]


class UnknownUnitError(LookupError):
    """No unit file of this name is on the machine."""


class Systemd:
    """The services of one machine; what is enabled starts again at the next boot.

    Args:
        root: The machine's file system; paths in unit files are below it.
        environment: What every program on this machine has.
        logs: Folder for the programs' output, one file a unit.
        speed: So many of systemd's seconds pass in one.
        say: Takes lines for the machine's console.
    """

    def __init__(
        self, root: Path, environment: Mapping[str, str], logs: Path, speed: float, say: Say
    ) -> None:
        self._root = root
        self._environment = environment
        self._logs = logs
        self._speed = speed
        self._say = say
        self._enabled: list[str] = []
        self._services: dict[str, Service] = {}

    def enable(self, name: str) -> None:
        """Have a unit started at every boot."""
        unit = self._load(name)
        if unit.wanted_by and name not in self._enabled:
            self._enabled.append(name)
            self._say(f"systemd: {name} enabled")

    def start(self, name: str) -> None:
        """Start a unit and do not wait for it, as `--no-block` says."""
        service = self._services.get(name)
        if service is None:
            service = Service(
                self._load(name), self._root, self._environment, self._logs, self._speed, self._say
            )
            self._services[name] = service
        service.start()

    def boot(self) -> None:
        """Start all enabled units."""
        for name in self._enabled:
            self.start(name)

    def state(self, name: str) -> str:
        """Return a unit's state: inactive, activating, active or failed."""
        service = self._services.get(name)
        return service.state if service else "inactive"

    async def stop(self) -> None:
        """Stop all units as at shutdown."""
        await asyncio.gather(*(service.stop() for service in self._services.values()))
        self._services.clear()

    async def kill(self) -> None:
        """Let all programs die at once."""
        await asyncio.gather(*(service.kill() for service in self._services.values()))
        self._services.clear()

    def _load(self, name: str) -> Unit:
        for folder in UNIT_FOLDERS:
            path = self._root / folder / name
            if path.exists():
                return parse_unit(name, path.read_text(encoding="utf-8"))
        raise UnknownUnitError(f"Unit file {name} does not exist.")


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
        self._unit = unit
        self._root = root
        self._environment = {**environment, **unit.environment}
        self._log = logs / f"{unit.name}.log"
        self._speed = speed
        self._console = say
        self._starts: deque[float] = deque(maxlen=unit.start_limit_burst)
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start it, unless it runs or is active."""
        if self.state in ("activating", "active"):
            return
        self.state = "activating"
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Run ExecStop if it is active, then end what runs."""
        if self.state == "active":
            for command in self._unit.exec_stop:
                await self._execute(command, self._unit.stop_timeout_s)
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End what runs without a word."""
        await self._end(signal.SIGKILL)

    def _say(self, text: str) -> None:
        self._console(f"systemd: {self._unit.name} {text}")

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
            await asyncio.wait_for(process.wait(), self._scaled(self._unit.stop_timeout_s))
        except TimeoutError:
            _signal_group(process, signal.SIGKILL)
            await process.wait()

    async def _run(self) -> None:
        """Start the program, again and again as far as Restart= and the start limit go."""
        if not self._meets_conditions():
            self.state = "inactive"
            return
        while self._may_start():
            exit_code = await self._run_once()
            if exit_code == 0:
                self.state = "active" if self._unit.remain_after_exit else "inactive"
            else:
                self.state = "failed"
            if not self._unit.restarts_after(exit_code):
                return
            self.state = "activating"
            self._say(f"is started again in {self._unit.restart_s:g} s")
            await asyncio.sleep(self._scaled(self._unit.restart_s))
        self.state = "failed"

    def _meets_conditions(self) -> bool:
        for path in self._unit.condition_paths:
            if not (self._root / path.lstrip("/")).exists():
                self._say(f"skipped: {path} does not exist")
                return False
        return True

    def _may_start(self) -> bool:
        now = time.monotonic()
        window = self._scaled(self._unit.start_limit_interval_s) or inf
        full = len(self._starts) == self._unit.start_limit_burst
        if full and now - self._starts[0] < window:
            self._say("failed: start request repeated too quickly")
            return False
        self._starts.append(now)
        return True

    async def _run_once(self) -> int:
        # A program that is no oneshot runs for as long as it likes once it is started.
        timeout_s = self._unit.start_timeout_s if self._unit.is_oneshot else inf
        self._say("starting")
        for command in self._unit.exec_start:
            exit_code = await self._execute(command, timeout_s)
            if exit_code != 0:
                return exit_code
        return 0

    async def _execute(self, command: tuple[str, ...], timeout_s: float) -> int:
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
            limit = None if timeout_s == inf else self._scaled(timeout_s)
            exit_code = await asyncio.wait_for(process.wait(), limit)
        except TimeoutError:
            await self._end_process(process, signal.SIGTERM)
            exit_code = TIMED_OUT
        self._say(f"{command[0]} ended with {exit_code}")
        return exit_code

    def _scaled(self, seconds: float) -> float:
        return seconds / self._speed


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
