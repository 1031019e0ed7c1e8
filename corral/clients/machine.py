"""Which process on which machine somebody is, and whether that process is provably gone.

A process's number alone proves nothing: it is given again, machines share names, containers on one
machine count for themselves, and a user may not see the processes of another.
"""

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

_PROC = Path("/proc")
_MACHINE = Path("/etc/machine-id")

_STATE, _STARTED = 0, 19
"""Fields of /proc/PID/stat, counted from the one after the program's name. Source: proc(5)."""

_ENDED = {"Z", "X"}
"""A zombie has ended; its parent has only not asked yet."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A process, so that no other one anywhere has the same; "" and 0 for what is not known."""

    host: str
    machine: str
    """The machine's own id, which outlives its boots."""
    boot: str
    pids: str
    """Whose counting of processes `pid` belongs to."""
    user: int
    pid: int
    started: int
    """Clock ticks between the machine's boot and the process's start."""

    @classmethod
    def here(cls) -> Self:
        """Return those of this process."""
        stat = _stat(os.getpid())
        return cls(
            host=socket.gethostname(),
            machine=_read(_MACHINE),
            boot=_read(_PROC / "sys/kernel/random/boot_id"),
            pids=_namespace(),
            user=os.getuid(),
            pid=os.getpid(),
            started=int(stat[_STARTED]) if stat else 0,
        )

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Self | None:
        """Return what `as_facts` wrote down; None if that is not there, or not whole."""
        try:
            return cls(
                host=str(facts["host"]),
                machine=str(facts["machine"]),
                boot=str(facts["boot"]),
                pids=str(facts["pids"]),
                user=int(facts["user"]),
                pid=int(facts["pid"]),
                started=int(facts["started"]),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def as_facts(self) -> dict[str, str | int]:
        """Return the facts by their names, for `read`."""
        return asdict(self)

    def find_end(self) -> str:
        """Return why this process has certainly ended, as half a sentence; "" without proof."""
        here = type(self).here()
        if self.is_of_an_earlier_boot(here):
            return f"{self.host} was started anew since"
        if self.is_beside(here) and not self._lives():
            return f"its process {self.pid} is gone from {self.host}"
        return ""

    def is_of_an_earlier_boot(self, here: "Whereabouts") -> bool:
        """Whether this was on the same machine before its last start: nothing of then lives."""
        if not (self.machine and self.boot and here.boot):
            return False
        is_same_machine = (self.host, self.machine) == (here.host, here.machine)
        return is_same_machine and self.boot != here.boot

    def booted_at(self) -> datetime | None:
        """Return when this machine was started; None if it does not say."""
        uptime = _read(_PROC / "uptime").split()
        return datetime.fromtimestamp(time.time() - float(uptime[0]), UTC) if uptime else None

    def is_beside(self, here: "Whereabouts") -> bool:
        """Whether one of them would see the other, if it lived."""
        if not (self.boot and self.pids and self.started):
            return False
        return (self.host, self.boot, self.pids, self.user) == (
            here.host,
            here.boot,
            here.pids,
            here.user,
        )

    def _lives(self) -> bool:
        stat = _stat(self.pid)
        return bool(stat) and int(stat[_STARTED]) == self.started and stat[_STATE] not in _ENDED


def _stat(pid: int) -> list[str]:
    """Return what the kernel says of a process; nothing if it knows none of this number."""
    try:
        line = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    # The program's name, in brackets, may hold blanks and brackets itself.
    return line.rpartition(")")[2].split()


def _namespace() -> str:
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
