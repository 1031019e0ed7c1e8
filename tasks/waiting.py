"""Waits in a task for the world, and says to people what it waits for, and what it did."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from prefect import get_run_logger
from prefect.context import TaskRunContext

from corral.clients.polling import Seldom, Waiting, wait_until
from corral.domain.set_up.steps import Did, Step, with_earlier
from tasks import connect
from tasks.progress import progress


class Teller:
    """Says in log and progress what is waited for: what is new at once, the rest seldom."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        log = get_run_logger()
        self._say = Seldom(lambda waiting: log.info("%s", waiting))

    def __call__(self, waiting: Waiting) -> None:
        """Hear what is waited for."""
        progress().move(self._stage, min(0.9, waiting.waited / waiting.deadline), str(waiting))
        self._say(waiting)


def wait_for(
    condition: str,
    probe: Callable[[], Sequence[str]],
    deadline_s: float,
    tell: Callable[[Waiting], None],
    *,
    passes: int = 1,
) -> None:
    """Wait until a condition holds, with as long between two looks as the settings say.

    Args:
        condition: What is waited for, as a human would say it.
        probe: Looks once, as `wait_until` has it.
        deadline_s: Seconds until the wait is given up.
        tell: Hears what is waited for.
        passes: How many looks in a row must hold.

    Raises:
        GateTimeoutError: It did not hold in time.

    """
    wait_until(
        condition,
        probe,
        deadline=timedelta(seconds=deadline_s),
        interval=timedelta(seconds=connect.settings().gate_interval_s),
        passes=passes,
        on_wait=tell,
    )


_written_by: dict[UUID, list[Step]] = {}
"""What each task has written, in all its tries; kept in the run's own process."""


def told(steps: Iterable[Step]) -> list[Step]:
    """Return steps of set-up once each is taken, and said in the run's log.

    What a try wrote before it failed is among what the next one returns, which finds it done. A
    task tells all its steps at once.
    """
    log, done, written = get_run_logger(), list[Step](), _written()
    earlier = tuple(written)
    for step in steps:
        log.info("%s", step)
        done.append(step)
        if step.did is not Did.KEPT:
            written.append(step)
    return with_earlier(earlier, done)


def _written() -> list[Step]:
    """Return what the current task has written so far, to be added to; its tries share its id."""
    context = TaskRunContext.get()
    return _written_by.setdefault(context.task_run.id, []) if context else []
