"""What every task around Terraform needs: what to run, a place to run it, and who listens to it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore
from typing import Any, TypeVar

from prefect import get_run_logger
from pydantic import ValidationError

from corral.clients.terraform import Backend, Event, EventKind, StackJob
from corral.domain.stacks import Outputs, Stack
from corral.errors import TerraformError
from tasks import connect
from tasks.progress import progress

Out = TypeVar("Out", bound=Outputs)

LOUDNESS = {
    EventKind.REFRESHED: logging.DEBUG,
    EventKind.PLANNED: logging.DEBUG,
    EventKind.NOTE: logging.DEBUG,
    EventKind.DRIFTED: logging.DEBUG,
    EventKind.WARNING: logging.WARNING,
    EventKind.FAILED: logging.ERROR,
    EventKind.ERROR: logging.ERROR,
}


def job_of(stack: Stack[Any]) -> StackJob:
    """Return what Terraform has to know of a stack."""
    place = stack.place
    return StackJob(
        folder=connect.settings().stacks_dir / stack.folder,
        key=stack.key,
        variables=stack.variables(),
        backend=Backend(place.state_bucket, place.region),
        environment=connect.terraform_environment(place),
    )


def outputs_of(stack: Stack[Out], values: dict[str, Any]) -> Out:
    """Return the outputs as the stack's model has them.

    Raises:
        TerraformError: They are of another version of the stack.
    """
    try:
        return stack.read_outputs(values)
    except ValidationError as error:
        faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        raise TerraformError(
            f"The outputs of {stack.key} are not what this corral reads ({faults}): the state was"
            " written by another version of the stack; let corral and CORRAL_STACKS_DIR be of one"
            " version, and run again."
        ) from error


@cache
def _places() -> BoundedSemaphore:
    """Return as many places as Terraform may work in at once; each takes a core and its memory."""
    return BoundedSemaphore(connect.settings().parallel_stacks)


@contextmanager
def place_among_others(stack: str) -> Iterator[None]:
    """Hold a place; those who have one give it back, since their commands have deadlines."""
    if not _places().acquire(blocking=False):
        get_run_logger().info("%s waits until another stack is done", stack)
        _places().acquire()
    try:
        yield
    finally:
        _places().release()


class Narrator:
    """Tells the run's log and its progress what Terraform says."""

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self._log = get_run_logger()
        self._planned = self._done = 0

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        self._log.log(LOUDNESS.get(event.kind, logging.INFO), "%s", event.text)
        self._planned += event.kind is EventKind.PLANNED
        self._done += event.kind is EventKind.DONE
        fraction = min(self._done / self._planned, 1.0) if self._planned else 0.0
        # The stage ends when its outputs are read, not with the last resource.
        progress().move(self._stack, 0.95 * fraction, event.text)
