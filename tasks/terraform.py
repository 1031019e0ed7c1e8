"""Prefect's view of a Terraform stack: apply it, show what it does, keep its plan for people."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import wait

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
    with progress().stage(stack.name):
        result = run_stack(
            _job(stack),
            connect.settings(),
            allow=allow,
            is_whole=lambda change: wholeness(connect.aws(stack.place), change),
            listen=_Narrator(stack.name),
        )
    create_markdown_artifact(result.changes.as_markdown(), key=_artifact_key("plan", stack.key))
    return Applied(stack.name, stack.read_outputs(result.outputs), result.changes)


def apply_side_by_side(stacks: Sequence[Stack[Out]], allow: Sequence[str]) -> list[Applied[Out]]:
    """Apply stacks that do not build on each other; one that fails does not stop the others."""
    with engines_end_with_us():
        runs = [apply_stack.submit(stack, allow) for stack in stacks]
        wait(runs)
    return [run.result() for run in runs]


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
