"""The story of a renewal: give Rancher new passwords for ECR before the old ones end."""

from datetime import timedelta

from prefect import flow
from prefect.client.schemas.objects import State

from tasks.alerts import raise_alerts
from tasks.crashes import settled_by
from tasks.herd import read_cluster_file
from tasks.herd_reports import skipped
from tasks.registries import (
    KIND,
    end_of_renewal,
    find_problems,
    find_reason_to_rest,
    renew_logins,
)
from tasks.turns import find_reason_to_skip, take_turn

NAME = "renew-registries"
PERIOD = timedelta(hours=6)
"""How far apart the schedule starts runs; a password lives for twelve hours."""
LONGEST = timedelta(hours=1)
"""After that a run hangs, and ends as TimedOut, which is told; the next goes on."""


@flow(name=NAME, flow_run_name="renew-{cluster}", timeout_seconds=LONGEST.total_seconds())
def renew_registries(cluster: str) -> State[str]:
    """Renew the passwords of the ECR registries that ask for this flow, if they end soon.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.

    """
    if reason := find_reason_to_skip(
        NAME, cluster, late_after=PERIOD, alone=True, longest=LONGEST + timedelta(minutes=5)
    ):
        return skipped(reason)

    spec = read_cluster_file(cluster)
    if reason := find_reason_to_rest(spec):
        return skipped(reason)
    take_turn(spec)

    renewals = renew_logins(spec)
    untold = raise_alerts(spec, find_problems(renewals), {KIND, settled_by(NAME)})
    return end_of_renewal(spec, renewals, untold)
