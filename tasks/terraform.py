"""Prefect's view of a Terraform stack: apply it, show what it does, keep its plan for people."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import BoundedSemaphore
from typing import Any, Generic, TypeVar, cast

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectConcurrentFuture, PrefectFuture
from pydantic import ValidationError

from corral.clients.aws import wholeness
from corral.clients.terraform import (
    Backend,
    Event,
    EventKind,
    StackJob,
    engines_end_with_us,
    run_stack,
)
from corral.domain.plans import PlanSummary
from corral.domain.stacks import Outputs, Stack
from corral.errors import CorralError, TerraformError
from tasks import connect
from tasks.progress import progress
from tasks.retries import PATIENCE_S, if_temporary

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


SHORT_S = 0.5


@dataclass(frozen=True)
class Applied(Generic[Out]):
    """A stack as it stands after a run: its outputs, and what the run changed."""

    name: str
    outputs: Out
    changes: PlanSummary


@task(
    task_run_name="apply-{stack.key}",
    tags=["terraform"],
    retries=2,
    retry_delay_seconds=PATIENCE_S,
    retry_condition_fn=if_temporary,
    cache_policy=NO_CACHE,
)
def apply_stack(stack: Stack[Out], allow: Sequence[str]) -> Applied[Out]:
    """Bring one stack to what its model says, and return its outputs."""
    with _place_among_others(stack.name), progress().stage(stack.name):
        result = run_stack(
            _job(stack),
            connect.settings(),
            allow=allow,
            is_whole=lambda change: wholeness(connect.aws(stack.place), change),
            listen=_Narrator(stack.name),
            publish=lambda changes: _publish_plan(stack.key, changes),
        )
    return Applied(stack.name, _read_outputs(stack, result.outputs), result.changes)


def apply_side_by_side(stacks: Sequence[Stack[Out]], allow: Sequence[str]) -> list[Applied[Out]]:
    """Apply stacks that do not build on each other; one that fails does not stop the others.

    Raises:
        CorralError: The fault of the one stack that failed.
        TerraformError: More than one failed; each is named with its fault.

    """
    with engines_end_with_us():
        runs = [apply_stack.submit(stack, allow) for stack in stacks]
        # In short waits: a signal that comes just as a long one begins would not end it.
        while any(_is_under_way(run) for run in runs):
            time.sleep(SHORT_S)
    return _all_applied(stacks, runs)


def _all_applied(
    stacks: Sequence[Stack[Out]], runs: Sequence[PrefectFuture[Applied[Out]]]
) -> list[Applied[Out]]:
    ends = [_end_of(run) for run in runs]
    faults = {
        stack.name: end
        for stack, end in zip(stacks, ends, strict=True)
        if isinstance(end, CorralError)
    }
    if len(faults) > 1:
        lines = [f"  {name}: {fault}" for name, fault in faults.items()]
        raise TerraformError("\n".join([f"{len(faults)} stacks failed:", *lines]))
    for fault in faults.values():
        raise fault
    return [end for end in ends if isinstance(end, Applied)]


def _is_under_way(run: PrefectFuture[Any]) -> bool:
    return not cast("PrefectConcurrentFuture[Any]", run).wrapped_future.done()


def _end_of(run: PrefectFuture[Applied[Out]]) -> Applied[Out] | CorralError:
    try:
        return run.result()
    except CorralError as fault:
        return fault


@cache
def _places() -> BoundedSemaphore:
    """Return as many places as Terraform may work in at once; each takes a core and its memory."""
    return BoundedSemaphore(connect.settings().parallel_stacks)


@contextmanager
def _place_among_others(stack: str) -> Iterator[None]:
    """Hold a place; those who have one give it back, since their commands have deadlines."""
    if not _places().acquire(blocking=False):
        get_run_logger().info("%s waits until another stack is done", stack)
        _places().acquire()
    try:
        yield
    finally:
        _places().release()


def _publish_plan(key: str, changes: PlanSummary) -> None:
    create_markdown_artifact(changes.as_markdown(), key=_artifact_key("plan", key))


def _read_outputs(stack: Stack[Out], values: dict[str, Any]) -> Out:
    try:
        return stack.read_outputs(values)
    except ValidationError as error:
        faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        raise TerraformError(
            f"The outputs of {stack.key} are not what this corral reads ({faults}): the state was"
            " written by another version of the stack; let corral and CORRAL_STACKS_DIR be of one"
            " version, and run again."
        ) from error


class _Narrator:
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


def _job(stack: Stack[Any]) -> StackJob:
    place = stack.place
    return StackJob(
        folder=connect.settings().stacks_dir / stack.folder,
        key=stack.key,
        variables=stack.variables(),
        backend=Backend(place.state_bucket, place.region),
        environment=connect.terraform_environment(place),
    )


def _artifact_key(kind: str, key: str) -> str:
    return f"{kind}-{key.replace('/', '-')}"
