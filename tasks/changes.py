"""Whether a cluster's stacks are being changed: then what is half done looks like drift."""

import logging

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType

from tasks.liveness import find_end
from tasks.rivals import CHANGING, changes
from tasks.runs import find_runs

log = logging.getLogger(f"corral.{__name__}")

BESIDE_STACKS = frozenset({"configure-rancher", "renew-registries", "rotate-keys"})
"""Flows that change what is inside Rancher only."""

AT_WORK = [StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING]


def find_change(cluster: str) -> str:
    """Return which run changes a cluster's stacks now, as a sentence; "" if none does.

    A run whose process is gone does not count. A Prefect that does not answer is no reason to wait:
    a state that is locked is noticed all the same.
    """
    try:
        with get_client(sync_client=True) as client:
            runs = find_runs(client, {*CHANGING} - BESIDE_STACKS, AT_WORK)
    except httpx.HTTPError as error:
        log.warning("going on without knowing who changes %s: %s", cluster, error)
        return ""
    at_it = [run for run in runs if changes(run, cluster) and not find_end(run)]
    if not at_it:
        return ""
    return (
        f"The run {at_it[0].name} ({at_it[0].id}) changes the stacks of {cluster}: what it has half"
        " done would look like drift."
    )
