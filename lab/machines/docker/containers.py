"""One container: what it was started from, its state, and its restarts."""

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from lab.machines.docker.workload import Spec, Start, Workload

RESTART_FIRST_S = 0.1
RESTART_LONGEST_S = 60.0
RAN_WELL_S = 10.0
"""Source: Docker's restart policies: the pause starts at 100 ms, doubles up to a minute, and starts
anew after a run of ten seconds."""

STOPPED = 137
LOG_LINES = 1000


class Container:
    """A container of one machine.

    Args:
        name: Unique on the machine.
        spec: What it was started from.
        start: Makes its workload, each time it starts.
        seconds: Turns real seconds into the lab's.
    """

    def __init__(
        self, name: str, spec: Spec, start: Start, seconds: Callable[[float], float]
    ) -> None:
        self.id = secrets.token_hex(32)
        self.name = name
        self.spec = spec
        self.state = "created"
        self.exit_code = 0
        self.restarts = 0
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._start = start
        self._seconds = seconds
        self._created = datetime.now(UTC)
        self._stopped_by_hand = False
        self._workload: Workload | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def workload(self) -> Workload | None:
        """Return what runs in it, or ran last."""
        return self._workload

    @property
    def is_running(self) -> bool:
        """Say whether its process runs or is about to run again."""
        return self.state in ("running", "restarting")

    @property
    def comes_back(self) -> bool:
        """Say whether the daemon starts it when the daemon starts."""
        if self.spec.restart == "unless-stopped":
            return not self._stopped_by_hand
        return self.spec.restart == "always"

    def start(self) -> None:
        """Start it, unless it runs."""
        if self.is_running:
            return
        self._stopped_by_hand = False
        self.state = "running"
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def wait(self) -> int:
        """Wait until it has ended for good and return its exit code."""
        if self._task is not None:
            await asyncio.wait({self._task})
        return self.exit_code

    async def stop(self, *, by_hand: bool) -> None:
        """Stop it; by hand means that a restart policy respects it."""
        if self.is_running:
            self._stopped_by_hand = by_hand
            await self._end(orderly=True)

    async def kill(self) -> None:
        """Let it die without a word."""
        if self.is_running:
            await self._end(orderly=False)

    def describe(self) -> dict[str, Any]:
        """Return what `docker inspect` shows."""
        return {
            "Id": self.id,
            "Created": self._created.isoformat(),
            "Name": f"/{self.name}",
            "RestartCount": self.restarts,
            "State": {
                "Status": self.state,
                "Running": self.is_running,
                "Restarting": self.state == "restarting",
                "ExitCode": self.exit_code,
            },
            "Config": {
                "Image": self.spec.image,
                "Cmd": list(self.spec.arguments) or None,
                "Env": [f"{name}={value}" for name, value in self.spec.environment.items()],
            },
            "HostConfig": {
                "RestartPolicy": {"Name": self.spec.restart},
                "Privileged": self.spec.privileged,
                "PortBindings": {
                    f"{port.rpartition(':')[2]}/tcp": [{"HostPort": port.partition(":")[0]}]
                    for port in self.spec.ports
                },
            },
        }

    def _say(self, text: str) -> None:
        self.log.append(text)

    async def _live(self) -> None:
        pause = RESTART_FIRST_S
        while True:
            self.state = "running"
            began = time.monotonic()
            self._workload = self._start(self.spec)
            self.exit_code = await self._workload.run(self._say)
            if time.monotonic() - began > self._seconds(RAN_WELL_S):
                pause = RESTART_FIRST_S
            if not self._should_restart():
                self.state = "exited"
                return
            self.state = "restarting"
            self.restarts += 1
            await asyncio.sleep(self._seconds(pause))
            pause = min(2 * pause, RESTART_LONGEST_S)

    def _should_restart(self) -> bool:
        return self.spec.restarts_always or (
            self.spec.restart.startswith("on-failure") and self.exit_code != 0
        )

    async def _end(self, *, orderly: bool) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._workload is not None:
            await self._workload.end(orderly=orderly)
        self.state, self.exit_code = "exited", 0 if orderly else STOPPED
