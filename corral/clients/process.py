"""Runs one engine as a process that outlives us when it must, and ends with us when it can.

An engine is a program that makes things in AWS: Terraform or Packer. Its output goes to a file,
since a broken pipe would kill it when we are killed; it has a session of its own, so that nobody's
Ctrl-C or killpg reaches it but our one SIGINT. Terraform answers that by saving what it has done
and releasing the lock, Packer by removing its builder, and the caller waits for it. SIGKILL is
never sent: it would leave the lock or the builder behind, and lose what was being made.
"""

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from corral.errors import CorralError

log = logging.getLogger(__name__)

GRACE = timedelta(seconds=25)
"""How long an interrupted engine may take to clean up before we go on without it. Less than the
30 s after which Prefect's runner kills a cancelled flow (prefect/runner, `grace_seconds`)."""

_IDENTITIES = (
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_",
)
"""Beginnings of variables that say who we are; beside keys of another identity they mix both."""

_POLL_S = 0.05
_PRIVATE = 0o600


class DeadlineError(Exception):
    """The process took too long; it has been interrupted."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, where, and how long it may take."""

    name: str
    """Of the program, for people: `terraform`."""
    argv: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    stdout: Path
    stderr: Path
    deadline: timedelta
    fault: type[CorralError]
    """Raised where a run that is being stopped has no time for the program."""
    inherit: tuple[int, ...] = ()
    """File descriptors the process keeps open: the lock of its working copy."""
    to_all: bool = False
    """Whether its children hear the SIGINT as well, as they would of a Ctrl-C: Packer runs itself
    as a child, and the parent ignores it. Source: packer, main.go; mitchellh/panicwrap."""
    overtime: timedelta = GRACE
    """How long it may clean up after its deadline, when nobody else presses."""


class EngineProcess:
    """One running engine."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.interrupted = False
        with _create(order.stdout) as stdout, _create(order.stderr) as stderr:
            self._process = subprocess.Popen(
                order.argv,
                cwd=order.folder,
                env=dict(order.environment),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
                pass_fds=order.inherit,
            )

    @property
    def pid(self) -> int:
        """Its process id, which is also its session's."""
        return self._process.pid

    def interrupt(self) -> None:
        """Send SIGINT, once: a second one makes Terraform and Packer drop everything."""
        if not self.interrupted and not self.ended_within(0):
            self.interrupted = True
            send = os.killpg if self.order.to_all else os.kill
            with suppress(ProcessLookupError):
                send(self.pid, signal.SIGINT)

    def ended_within(self, seconds: float) -> bool:
        """Wait for its end, so long at most."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None

    def follow(self, on_line: Callable[[str], None]) -> int:
        """Pass on each line as it comes; return the exit code.

        Raises:
            DeadlineError: It took longer than its order allows.

        """
        overdue = time.monotonic() + self.order.deadline.total_seconds()
        with self.order.stdout.open("rb") as output:
            while not self.ended_within(_POLL_S):
                _pass_on(output, on_line)
                if time.monotonic() > overdue:
                    raise DeadlineError
            _pass_on(output, on_line)
            if rest := output.read():
                on_line(rest.decode(errors="replace"))
        return self._process.returncode

    def end(self, grace: timedelta = GRACE) -> None:
        """Interrupt it and wait until it has cleaned up, or until the grace is over."""
        if self.ended_within(0):
            return
        self.interrupt()
        name = self.order.name
        log.warning("%s (process %d) was interrupted, waiting for it to clean up", name, self.pid)
        if not self.ended_within(grace.total_seconds()):
            log.error(
                "%s (process %d) has not ended after %.0f s; it goes on by itself",
                name,
                self.pid,
                grace.total_seconds(),
            )


class Engines:
    """All engines this process runs, in whatever thread."""

    def __init__(self) -> None:
        self._running: set[EngineProcess] = set()
        self._lock = threading.Lock()
        self._closed = False

    def run(self, order: Order, on_line: Callable[[str], None]) -> int:
        """Run one engine to its end and return its exit code.

        Whatever interrupts the wait, an exception raised by a signal included, interrupts the
        engine too, and is passed on when the engine has cleaned up.

        Raises:
            DeadlineError: It took longer than its order allows.
            CorralError: The order's `fault`: the run is being stopped.

        """
        with _sigterm_raises():
            process = self._start(order)
            try:
                code = process.follow(on_line)
            except DeadlineError:
                process.end(order.overtime)
                raise
            except BaseException:
                process.end()
                raise
            finally:
                with self._lock:
                    self._running.discard(process)
        if process.interrupted:
            raise order.fault(f"{order.argv[1]} was interrupted, since the run is being stopped")
        return code

    def open(self) -> None:
        """Let engines start (again)."""
        self._closed = False

    def close(self, grace: timedelta = GRACE) -> None:
        """Start no more engines, interrupt those that run, and wait until they have cleaned up."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            process.interrupt()
        overdue = time.monotonic() + grace.total_seconds()
        for process in running:
            process.end(timedelta(seconds=max(0.0, overdue - time.monotonic())))

    def _start(self, order: Order) -> EngineProcess:
        with self._lock:
            # The main thread is who closed; if it starts an engine, another run has begun.
            self._closed &= threading.current_thread() is not threading.main_thread()
            if self._closed:
                raise order.fault(f"{order.argv[1]} was not started: the run is being stopped")
            process = EngineProcess(order)
            self._running.add(process)
            return process


ENGINES = Engines()


def without_other_identities(added: Mapping[str, str]) -> dict[str, str]:
    """Return our own variables and these; where these are somebody's keys, they stand alone."""
    dropped = _IDENTITIES if "AWS_ACCESS_KEY_ID" in added else ()
    ours = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return ours | dict(added)


class TerminatedError(SystemExit):
    """SIGTERM, where nobody else turned it into an exception."""


@contextmanager
def engines_end_with_us() -> Iterator[None]:
    """Make whatever ends this block by force end every engine, in all threads, with one SIGINT.

    For the main thread, around all work that may run engines in other threads: those never hear of
    a signal. An ordinary error leaves other threads' engines to finish what they do.

    A SIGTERM handler that is there stays, and is expected to raise: Prefect's does, and Prefect
    takes a cancellation for a crash once its handler has been replaced
    (prefect/utilities/engine, `can_ack_control_intent`). Where there is none, one that raises is
    installed for the time of the block, as it is while the main thread itself runs an engine.
    """
    ENGINES.open()
    with _sigterm_raises():
        try:
            yield
        except Exception:
            raise
        except BaseException:
            ENGINES.close()
            raise


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _raise_terminated(number: int, _: FrameType | None) -> None:
    raise TerminatedError(128 + number)


def _create(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "wb")


def _pass_on(output: BinaryIO, on_line: Callable[[str], None]) -> None:
    """Pass on the complete lines; half a line stays for the next time."""
    while (line := output.readline()).endswith(b"\n"):
        on_line(line.decode(errors="replace").rstrip("\n"))
    output.seek(-len(line), os.SEEK_CUR)
