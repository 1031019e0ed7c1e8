"""Processes that the lab's tests start as a user would: lab, Prefect server, worker, flows."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corral.settings import PROJECT

PREFECT = [sys.executable, "-m", "prefect"]
STOP_S = 15.0


@dataclass
class Started:
    """A process of its own session whose output goes to a file."""

    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, command: Sequence[str], environment: Mapping[str, str], log: Path) -> "Started":
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        return cls(process, log)

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for_line(self, pattern: str, seconds: float) -> str:
        """Return the first line that matches, or fail with the end of the output."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = re.search(f"^.*{pattern}.*$", self.text, re.MULTILINE)
            if found:
                return found.group(0)
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"no line with {pattern!r} (exit {self.process.poll()}):\n{self.tail}")

    @property
    def tail(self) -> str:
        return "\n".join(self.text.splitlines()[-60:])

    def wait(self, seconds: float) -> int:
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds:.0f} s:\n{self.tail}") from None

    def kill(self) -> None:
        """End the process itself without a word; what it started lives on."""
        self.process.kill()
        self.process.wait(STOP_S)

    def terminate(self, seconds: float = STOP_S) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return self.process.wait()


def wait_until(probe: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return the first true answer of a probe."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := probe():
            return answer
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


def flow_command(flow: str, **parameters: Any) -> list[str]:
    """Return the command that runs a flow in a process of its own."""
    module, name = flow.rsplit(".", 1)
    given = json.dumps(json.dumps(parameters))
    # By its state: what a run returns is lost where Prefect answered late.
    call = (
        f"import json, sys; from {module} import {name};"
        f" end = {name}(**json.loads({given}), return_state=True);"
        " sys.exit(None if end.is_completed() else end.message)"
    )
    return [sys.executable, "-c", call]
