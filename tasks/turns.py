"""Whose turn it is: runs neither overlap nor pile up, whatever the schedule and the worker did.

Prefect's limit of a deployment (CANCEL_NEW) knows nothing of runs that were started without one,
lets the backlog of an outage run one after another, and is held by runs whose worker died. Nor does
it keep two flows from changing the same cluster: those take turns, with `take_turn`.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.context import FlowRunContext
from prefect.states import Crashed

from corral.clients.polling import Seldom, wait_until
from corral.cluster import ClusterSpec
from tasks import connect
from tasks.rivals import Rivals
from tasks.runs import find_runs

log = logging.getLogger(f"corral.{__name__}")

NEVER = datetime.max.replace(tzinfo=UTC)

AT_WORK = [StateType.RUNNING, StateType.CANCELLING]

LOOK_AGAIN = timedelta(seconds=1)
"""How long after it a run looks again whether it is its turn."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A run at work, by Prefect's clock alone: those of the workers may differ.

    `late` is how long after its time it began; zero for a run that began before, and was put back.
    """

    id: str
    name: str
    began: datetime
    late: timedelta

    def is_before(self, other: "Turn") -> bool:
        """Say which of two runs goes first; of any two exactly one does."""
        return (self.began, self.id) < (other.began, other.id)


@task(task_run_name="take-turn-{spec.name}", cache_policy=NO_CACHE)
def take_turn(spec: ClusterSpec) -> None:
    """Wait until no run that began earlier changes this cluster; the turn ends with this run.

    A run whose process is gone is ended as crashed, and waited for no more. Runs have their order
    by when they began, by Prefect's clock; one that pauses keeps its place.

    Raises:
        GateTimeoutError: An earlier run is still at it, and was waited for.
        PrerequisiteError: This run was ended meanwhile, and another may have the turn.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    with get_client(sync_client=True) as client:
        rivals = Rivals(client, context.flow_run.id, spec.name)
        wait_until(
            f"the turn of {context.flow_run.name} to change {spec.name}",
            rivals.find_obstacles,
            deadline=timedelta(seconds=connect.settings().turn_deadline_s),
            interval=LOOK_AGAIN,
            on_wait=Seldom(get_run_logger().info),
        )


def find_reason_to_skip(
    flow_name: str, cluster: str, *, late_after: timedelta, alone: bool, longest: timedelta
) -> str:
    """Return why this run should end at once, as a sentence for people; "" if it should go on.

    A run that cannot be alive any more is ended as crashed: its worker cannot do it. A Prefect that
    does not answer is no reason to skip, since every step of ours can be repeated.

    Args:
        flow_name: As Prefect knows the flow: reconcile-hosts.
        cluster: Runs of other clusters do not count.
        late_after: A run that starts later than this is one of a backlog: the next one does its
            work.
        alone: Whether a run of this flow and cluster that began earlier is a reason as well.
        longest: No living run takes so long: an older one died with its worker.

    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return ""
    try:
        with get_client(sync_client=True) as client:
            mine = turn_of(client.read_flow_run(context.flow_run.id))
            others = _others(client, flow_name, cluster, mine)
            dead = [other for other in others if mine.began - other.began > longest]
            _bury(client, dead, longest)
    except httpx.HTTPError as error:
        log.warning("going on without knowing whose turn it is: %s", error)
        return ""
    living = [other for other in others if other not in dead]
    return judge(mine, living if alone else (), late_after)


def judge(mine: Turn, others: Iterable[Turn], late_after: timedelta) -> str:
    """Return why it is not this run's turn, "" if it is."""
    if mine.late > late_after:
        return (
            f"This run began {mine.late.total_seconds():.0f} s after its time, which is no use: the"
            " next one does its work."
        )
    if first := next((other for other in others if other.is_before(mine)), None):
        return f"The run {first.name} is at it since {first.began:%H:%M:%S} UTC: one is enough."
    return ""


def _others(client: SyncPrefectClient, flow_name: str, cluster: str, mine: Turn) -> list[Turn]:
    runs = find_runs(client, [flow_name], AT_WORK)
    turns = [turn_of(run) for run in runs if run.parameters.get("cluster") == cluster]
    return [turn for turn in turns if turn.id != mine.id]


def turn_of(run: FlowRun) -> Turn:
    """Return when a run began, and how late."""
    began, due = _beginning(run), run.expected_start_time
    is_first = run.run_count <= 1
    return Turn(str(run.id), run.name, began, began - due if due and is_first else timedelta())


def _beginning(run: FlowRun) -> datetime:
    """Return when a run began to run: one that was put back keeps the time of its first try."""
    if run.state and run.state.is_running():
        return run.state.timestamp
    return run.start_time or NEVER


def _bury(client: SyncPrefectClient, dead: Sequence[Turn], longest: timedelta) -> None:
    """End runs that died with their worker, so that somebody is told and their slots are free."""
    for turn in dead:
        message = (
            f"Running for more than {longest.total_seconds():.0f} s, longer than any run that"
            " lives: its worker died, or was stopped."
        )
        client.set_flow_run_state(turn.id, Crashed(message=message))
        log.warning("run %s of %s is ended as crashed: %s", turn.name, turn.began, message)
