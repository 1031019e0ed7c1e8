"""The story of a rotation: replace the keys that are old, remove those that nobody holds."""

from datetime import timedelta
from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from tasks.alerts import raise_alerts
from tasks.crashes import settled_by
from tasks.herd import read_cluster_file
from tasks.herd_reports import skipped
from tasks.keys import (
    KIND,
    end_of_rotation,
    find_problems,
    find_reason_without_keys,
    publish_keys,
    rotate_all,
    rule_of,
)
from tasks.turns import find_reason_to_skip, take_turn

NAME = "rotate-keys"
PERIOD = timedelta(days=1)
"""How far apart the schedule starts runs."""
LONGEST = timedelta(hours=1)
"""After that a run hangs, and ends as TimedOut, which is told; the next goes on."""


@flow(name=NAME, flow_run_name="rotate-{cluster}", timeout_seconds=LONGEST.total_seconds())
def rotate_keys(
    cluster: str, max_age_days: Annotated[int, Field(ge=0, le=3650)] = 90
) -> State[str]:
    """Replace the API keys that are too old, without anybody losing access.

    A key that was replaced works on for some hours, and is removed by a later run.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.
        max_age_days: Keys of so many days are replaced; 0 replaces all of them now.

    """
    # Two at once do no harm: neither removes what somebody may still work with.
    if reason := find_reason_to_skip(
        NAME, cluster, late_after=PERIOD, alone=False, longest=LONGEST + timedelta(minutes=5)
    ):
        return skipped(reason)

    spec, rule = read_cluster_file(cluster), rule_of(max_age_days)
    if reason := find_reason_without_keys(spec):
        return skipped(reason)
    take_turn(spec)

    fates = rotate_all(spec, rule)
    publish_keys(spec, fates, rule)
    untold = raise_alerts(spec, find_problems(fates), {KIND, settled_by(NAME)})
    return end_of_rotation(spec, fates, untold)
