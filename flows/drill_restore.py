"""The story of a drill: the database is restored beside itself, to see that it can be."""

from datetime import timedelta

from prefect import flow
from prefect.client.schemas.objects import State

from corral.domain.stacks import Database
from tasks.built import read_network
from tasks.clusters import load_built_cluster
from tasks.crashes import settle_crashes
from tasks.databases import read_standing
from tasks.drills import (
    CLEAN_STAGE,
    DRILL_STAGE,
    carry_out,
    end_of_drill,
    newest_moment,
    publish_drill,
    remove_remains,
)

NAME = "drill-restore"
LONGEST = timedelta(hours=12)
"""After that a run hangs, and ends as TimedOut, which is told; the next removes what it left."""


@flow(name=NAME, flow_run_name="drill-{cluster}", timeout_seconds=LONGEST.total_seconds())
def drill_restore(cluster: str) -> State[float]:
    """Restore the newest moment of the database into an instance that is thrown away at once.

    The cluster itself is not touched.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.

    """
    spec = load_built_cluster(cluster, (CLEAN_STAGE, DRILL_STAGE))
    remove_remains(spec)
    below, standing = read_network(spec), read_standing(spec)

    stack = Database.of(spec, *below, standing)
    drilled = carry_out(spec, stack, standing, newest_moment(spec, standing))
    publish_drill(spec, drilled)
    settle_crashes(spec, NAME)
    return end_of_drill(spec, drilled)
