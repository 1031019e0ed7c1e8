"""The story of a search for drift: look at every stack, touch none, tell what differs."""

from datetime import timedelta

from prefect import flow
from prefect.client.schemas.objects import State

from corral.domain.drift_reports import find_problems, find_settled
from tasks.alerts import raise_alerts
from tasks.changes import find_change
from tasks.crashes import settled_by
from tasks.drift import find_stacks, look_at_stacks
from tasks.drift_reports import end_of_search, publish_drift, unbuilt
from tasks.herd import read_cluster_file
from tasks.herd_reports import skipped
from tasks.turns import find_reason_to_skip

NAME = "detect-drift"
PERIOD = timedelta(days=1)
"""How far apart the schedule starts runs."""
LONGEST = timedelta(hours=6)
"""After that a run ends as TimedOut, which is told; the next begins with what it did not get to."""
DEAD_AFTER = LONGEST + timedelta(hours=1)
"""No living run takes so long."""


@flow(name=NAME, flow_run_name="drift-{cluster}", timeout_seconds=LONGEST.total_seconds())
def detect_drift(cluster: str) -> State[str]:
    """Tell what of a cluster's stacks was changed by hand, and what waits to be applied.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.

    """
    if reason := find_change(cluster) or find_reason_to_skip(
        NAME, cluster, late_after=PERIOD, alone=True, longest=DEAD_AFTER
    ):
        return skipped(reason)

    spec = read_cluster_file(cluster)
    stacks = find_stacks(spec)
    if not stacks.known:
        return unbuilt(cluster)

    looks = look_at_stacks(spec, stacks)
    settled = find_settled(looks) | {settled_by(NAME)}
    untold = raise_alerts(spec, find_problems(cluster, looks), settled)
    publish_drift(cluster, looks)
    return end_of_search(cluster, looks, untold)
