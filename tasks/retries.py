"""When a step is worth another try, for all tasks alike."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from corral.errors import CorralError

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE_S = [30.0, 120.0]
"""Seconds before the second and the third try of a step that may work later."""


def if_temporary(_: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001
    """Tell whether a failed step may work later: the error's own class says so."""
    result = state.result(raise_on_failure=False)
    return isinstance(result, CorralError) and result.temporary


def patient_task(name: str, *tags: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a task of a step that is tried again while its error says that it may work later.

    Args:
        name: Of its runs, with the step's parameters in braces.
        tags: Whom it talks to.
    """
    return task(
        task_run_name=name,
        tags=tags,
        retries=len(PATIENCE_S),
        retry_delay_seconds=PATIENCE_S,
        retry_condition_fn=if_temporary,
        cache_policy=NO_CACHE,
    )
