"""The story of a drain: hear of machines that leave, take their hosts out, tell what failed."""

from datetime import timedelta
from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from tasks.alerts import raise_alerts
from tasks.crashes import settled_by
from tasks.drain_reports import Drain, end_of_drain, publish_drain
from tasks.drains import count_dead_letters, find_posts, listen_to_queues
from tasks.herd import read_cluster_file
from tasks.herd_reports import skipped
from tasks.turns import find_reason_to_skip

NAME = "drain-hosts"
PERIOD = timedelta(minutes=5)
"""How far apart the schedule starts runs."""
LONGEST = timedelta(hours=2)
"""After the hour that a run may listen at most, it has to end: an older one died, or is ended."""


@flow(name=NAME, flow_run_name="drain-{cluster}", timeout_seconds=LONGEST.total_seconds())
def drain_hosts(cluster: str, listen_s: Annotated[float, Field(ge=0, le=3600)] = 0) -> State[str]:
    """Take out of Rancher the hosts whose machines their groups are about to end.

    Runs may listen side by side: each message is given to one of them.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.
        listen_s: Seconds to listen, at most an hour; what lies in the queues is worked off anyway.

    """
    if reason := find_reason_to_skip(
        NAME, cluster, late_after=PERIOD, alone=False, longest=LONGEST
    ):
        return skipped(reason)

    spec = read_cluster_file(cluster)
    posts = find_posts(spec)
    if posts.unbuilt:
        return skipped(posts.unbuilt)

    drain = Drain(cluster, posts)
    if posts.pools:
        heard = listen_to_queues(spec, posts.pools, listen_s)
        drain = Drain(cluster, posts, heard, count_dead_letters(spec, posts.pools))
    settled = drain.settled | {settled_by(NAME)}
    untold = raise_alerts(spec, drain.find_problems(), settled)
    publish_drain(drain)
    return end_of_drain(drain, untold)
