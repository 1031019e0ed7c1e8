"""Runs that Prefect takes for running although nobody is heard of them: alive, or to be ended.

A run whose worker died with it stays Running, holds its deployment's slot, and is told to nobody.
"""

from datetime import timedelta
from uuid import UUID

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.events.filters import EventFilter, EventNameFilter, EventResourceFilter
from prefect.states import Crashed

from corral.clients.polling import wait_until
from corral.errors import GateTimeoutError

BEAT = timedelta(seconds=30)
"""How often a run that prefect.yaml describes gives a sign of life."""

LISTENING = 2.5 * BEAT
LISTENING_INTERVAL = timedelta(seconds=5)


@task(task_run_name="listen-to-{run_id}", cache_policy=NO_CACHE)
def end_if_silent(run_id: UUID, listening: timedelta = LISTENING) -> bool:
    """End a run as crashed if it gives no sign of life, and say whether that was done.

    Prefect may have been away itself, so that its word that a run is silent is not taken. A run
    that nobody's worker started is left alone: its signs of life may be rarer.
    """
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(run_id)
        if run.deployment_id is None or _shows_life(client, run, listening):
            return False
        message = (
            f"No sign of life for more than {listening.total_seconds():.0f} s: the process is"
            " gone, and its worker with it."
        )
        client.set_flow_run_state(run_id, Crashed(message=message))
    get_run_logger().warning("run %s is ended as crashed. %s", run.name, message)
    return True


def _shows_life(client: SyncPrefectClient, run: FlowRun, listening: timedelta) -> bool:
    heard_before = newest_sign(client, run)

    def listen() -> list[str]:
        if client.read_flow_run(run.id).state_type != run.state_type:
            return []
        return [] if newest_sign(client, run) != heard_before else ["nothing is heard of it"]

    try:
        wait_until(
            f"a sign of life of {run.name}",
            listen,
            deadline=listening,
            interval=min(LISTENING_INTERVAL, listening / 4),
        )
    except GateTimeoutError:
        return False
    return True


def newest_sign(client: SyncPrefectClient, run: FlowRun) -> UUID | None:
    """Return the newest sign of life by its id, since clocks may differ."""
    wanted = EventFilter(
        event=EventNameFilter(name=["prefect.flow-run.heartbeat"]),
        resource=EventResourceFilter(id=[f"prefect.flow-run.{run.id}"]),
    )
    found = client.read_events(wanted, limit=1).events
    return found[0].id if found else None
