"""The runs that Prefect knows of, by their flow and their state."""

from collections.abc import Collection

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType


def find_runs(
    client: SyncPrefectClient, flows: Collection[str], states: Collection[StateType]
) -> list[FlowRun]:
    """Return the runs of these flows that are in one of these states, of whatever cluster.

    Raises:
        httpx.HTTPError: Prefect does not answer.
    """
    return client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=list(flows))),
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states)))
        ),
    )
