"""The other runs that change a cluster: which of them go first, seen from one that wants to."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State, StateType

from corral.errors import PrerequisiteError
from tasks.liveness import bury_if_dead, leave_trace
from tasks.runs import find_runs
from tasks.silence import end_if_silent, newest_sign

CHANGING = (
    "bake-image",
    "build-cluster",
    "configure-rancher",
    "destroy-cluster",
    "renew-registries",
    "restore-database",
    "roll-control-plane",
    "rotate-database-password",
    "rotate-keys",
    "scale-control-plane",
    "upgrade-rancher",
)
"""Flows that change a cluster, which one run at a time may do; a bake only if it rolls out."""

UNFINISHED = [StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING]

NOT_YET = datetime.max.replace(tzinfo=UTC)


class Rivals:
    """The unfinished runs that change one cluster, beside one of them."""

    def __init__(self, client: SyncPrefectClient, run_id: UUID, cluster: str) -> None:
        self._client = client
        self._id = run_id
        self._cluster = cluster
        self._is_traced = False
        self._seen_pending: set[UUID] = set()
        self._listened_to: set[UUID] = set()

    def find_obstacles(self) -> list[str]:
        """Return a sentence for each run that goes first; the dead among them are ended.

        Raises:
            PrerequisiteError: Our own run was ended meanwhile.
        """
        try:
            self._leave_trace()
            mine = self._place(self._mine())
            return [reason for run in self._others() if (reason := self._obstacle(run, mine))]
        except httpx.HTTPError as error:
            return [f"Prefect does not say who else is at it ({type(error).__name__})."]

    def _leave_trace(self) -> None:
        if not self._is_traced:
            leave_trace(self._client, self._id)
            self._is_traced = True

    def _mine(self) -> FlowRun:
        run = self._client.read_flow_run(self._id)
        if run.state and run.state.is_final():
            raise PrerequisiteError(
                f"The run {run.name} was ended as {run.state.name} before its turn: start another."
            )
        return run

    def _others(self) -> list[FlowRun]:
        runs = find_runs(self._client, CHANGING, UNFINISHED)
        return [run for run in runs if run.id != self._id and changes(run, self._cluster)]

    def _obstacle(self, run: FlowRun, mine: tuple[datetime, str]) -> str:
        if run.state_type is StateType.PENDING:
            return self._pending(run)
        place = self._place(run)
        if mine < place or bury_if_dead(self._client, run):
            return ""
        self._listen_to(run)
        return (
            f"The run {run.name} ({run.id}) is {run.state_name} since {place[0]:%H:%M:%S} UTC: let"
            " it finish, or cancel it in Prefect if it is certain that it died."
        )

    def _pending(self, run: FlowRun) -> str:
        """Return at the first look that it is about to begin: it may have, an instant ago."""
        if run.id in self._seen_pending:
            return ""
        self._seen_pending.add(run.id)
        return f"The run {run.name} ({run.id}) is about to begin."

    def _listen_to(self, run: FlowRun) -> None:
        """End it if it gives no signs of life any more; once, then Prefect's automation does."""
        if run.id not in self._listened_to:
            self._listened_to.add(run.id)
            if newest_sign(self._client, run):
                end_if_silent(run.id)

    def _place(self, run: FlowRun) -> tuple[datetime, str]:
        """Return when it began, and what tells it from one that began at the same time."""
        return began_at(self._client.read_flow_run_states(run.id)), str(run.id)


def changes(run: FlowRun, cluster: str) -> bool:
    """Whether a run of one of the changing flows changes this cluster."""
    of_cluster = run.parameters.get("cluster") == cluster
    return of_cluster and bool(run.parameters.get("roll_out", True))


def began_at(states: Iterable[State[Any]]) -> datetime:
    """Return when a run began that is at it, by all its states: a pause is no new beginning.

    One that was put back by hand began anew.
    """
    began = NOT_YET
    for state in sorted(states, key=lambda state: state.timestamp):
        if state.is_running():
            began = min(began, state.timestamp)
        elif state.is_final() or state.is_scheduled() or state.is_pending():
            began = NOT_YET
    return began
