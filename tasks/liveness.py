"""Runs that say nothing any more: which of them are provably over, and where a run is at work.

Prefect takes a run for running until somebody tells it otherwise. Who was killed cannot.
"""

from datetime import datetime
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

from corral.clients.machine import Whereabouts

LABEL = "corral.process."
"""What the names of the labels begin with that say which process a run is."""


def leave_trace(client: SyncPrefectClient, run_id: UUID) -> None:
    """Write down beside a run that this process is it, so that others can see when it is gone."""
    facts = Whereabouts.here().as_facts()
    client.update_flow_run_labels(run_id, {LABEL + name: fact for name, fact in facts.items()})


def find_end(run: FlowRun) -> str:
    """Return why a run is certainly over, as half a sentence; "" without proof."""
    if run.state and run.state.is_final():
        return f"it ended as {run.state.name}"
    found = {name.removeprefix(LABEL): fact for name, fact in run.labels.items()}
    process = Whereabouts.read(found)
    return process.find_end() if process else ""


def bury_if_dead(client: SyncPrefectClient, run: FlowRun) -> str:
    """End a run as crashed whose process is gone, which also tells people; return why, or ""."""
    reason = find_end(run)
    if reason and not (run.state and run.state.is_final()):
        client.set_flow_run_state(run.id, Crashed(message=f"The run was killed: {reason}."))
    return reason


def ended_at(run_id: str) -> datetime | None:
    """Return when a run ended, by Prefect's clock; None for one that has not, or is not known."""
    with get_client(sync_client=True) as client:
        try:
            run = client.read_flow_run(UUID(run_id))
        except (ObjectNotFound, ValueError):
            return None
    return run.end_time if run.state and run.state.is_final() else None
