"""When a step is worth another try, for all tasks alike."""

from typing import Any

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from corral.errors import CorralError

PATIENCE_S = [30.0, 120.0]
"""Seconds before the second and the third try of a step that may work later."""


def if_temporary(task: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001
    """Tell whether a failed step may work later: the error's own class says so."""
    result = state.result(raise_on_failure=False)
    return isinstance(result, CorralError) and result.temporary
