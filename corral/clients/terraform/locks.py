"""Locks on what one Terraform at a time may use: waited for with a deadline, and never silently."""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from corral.clients.terraform.events import Event, EventKind, Listener
from corral.errors import CopyBusyError

_LOOK_AGAIN_S = 0.5
_SAY_AGAIN_S = 15.0


@contextmanager
def hold(path: Path, what: str, *, patience: timedelta, listen: Listener) -> Iterator[int]:
    """Hold a lock alone; the descriptor that is yielded keeps it, also in who inherits it.

    Args:
        path: File to lock; made if it is not there.
        what: What the lock is for, as `working copy of lab/vpc`.
        patience: How long to wait for who has it.
        listen: Hears what is waited for, and for how long.

    Raises:
        CopyBusyError: Somebody else still has it after that time.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _await(lock, what, patience, listen)
        sign(lock, "a run")
        yield lock
    finally:
        os.close(lock)


def sign(lock: int, command: str) -> None:
    """Write down who holds the lock and for what, for those who wait."""
    note = {
        "process": os.getpid(),
        "machine": socket.gethostname(),
        "command": command,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps(note).encode(), 0)


def _await(lock: int, what: str, patience: timedelta, listen: Listener) -> None:
    started = time.monotonic()
    say_at = 0.0
    while not _locks(lock):
        waited = time.monotonic() - started
        if waited >= patience.total_seconds():
            raise CopyBusyError(what, _holder(lock), timedelta(seconds=waited))
        if waited >= say_at:
            listen(
                Event(
                    EventKind.WAITING,
                    f"waiting for {_holder(lock)}, which still uses the {what}:"
                    f" {waited:.0f} of {patience.total_seconds():.0f} s",
                )
            )
            say_at = waited + _SAY_AGAIN_S
        time.sleep(_LOOK_AGAIN_S)


def _locks(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: int) -> str:
    try:
        note = json.loads(os.pread(lock, 4096, 0))
        process = f"process {note['process']} on {note['machine']}"
        return f"{note['command']} of an earlier run ({process}, since {note['since']})"
    except (ValueError, KeyError):
        return "an earlier run"
