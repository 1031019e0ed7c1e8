"""On whose behalf a stack is worked on, and what Prefect and AWS know of runs that died at it."""

from functools import partial
from typing import Any

from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run

from corral.clients.aws import StateShelf, find_lost
from corral.clients.terraform import Watch
from corral.domain.holders import Breaking
from corral.domain.stacks import Stack
from tasks import connect
from tasks.liveness import ended_at


def watch_of(stack: Stack[Any]) -> Watch:
    """Return what is needed to take over a stack from a run that died."""
    place = stack.place
    session = connect.aws(place)
    return Watch(
        run=str(flow_run.id or ""),
        name=str(flow_run.name or ""),
        shelf=StateShelf(session, place.state_bucket, place.account_id),
        ended_at=ended_at,
        tell=partial(_tell, stack.key),
        find=partial(find_lost, session),
    )


def _tell(key: str, breaking: Breaking) -> None:
    create_markdown_artifact(f"**{key}**: {breaking}", key=f"broken-lock-{key.replace('/', '-')}")
