"""Work that is measured in a process of its own, and what that process says of itself."""

import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from corral.settings import PROJECT

CLUSTER = "lab"
PATIENCE_S = 900.0
STATUS = Path("/proc/self/status")


@dataclass
class Measured:
    """What some work took."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    """What the process itself worked of these; the rest is waiting."""
    peak_mb: float = 0.0
    calls: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    """What came out, for whoever wants to see that it is right."""

    @classmethod
    def run(cls, module: str, environment: Mapping[str, str], *arguments: str) -> "Measured":
        """Have a module of this package do its work in a new process.

        Raises:
            RuntimeError: It failed.
        """
        result = subprocess.run(
            [sys.executable, "-m", f"benchmarks.herd.{module}", *arguments],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        if result.returncode:
            raise RuntimeError(f"{module} failed: {result.stderr}")
        return cls(**json.loads(result.stdout.splitlines()[-1]))

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the time that something takes."""
        began, worked = time.perf_counter(), time.process_time()
        yield
        self.seconds += time.perf_counter() - began
        self.cpu_s += time.process_time() - worked

    def report(self) -> None:
        """Say what was measured to the process that waits for it."""
        self.peak_mb = _peak_mb()
        print(json.dumps(asdict(self)))


def _peak_mb() -> float:
    """Return how much memory this process held at most.

    Linux counts into `ru_maxrss` what the parent held when it made this process, so its own mark is
    asked for where there is one.

    Source: proc(5), VmHWM; Linux, exec_mmap in fs/exec.c.
    """
    if STATUS.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())):
        return int(found[1]) / 1024
    kilobytes = 1024 if sys.platform == "darwin" else 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / kilobytes / 1024
