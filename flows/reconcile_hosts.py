"""The story of a reconcile: read both sides, judge, remove what is proven dead, tell, report."""

from datetime import timedelta

from prefect import flow
from prefect.client.schemas.objects import State

from tasks.alerts import raise_alerts
from tasks.crashes import settled_by
from tasks.herd import longest_run, read_cluster_file, remove_phantoms, survey_herd
from tasks.herd_reports import end_of_dry_run, end_of_reconcile, publish_herd, skipped
from tasks.surveys import find_problems
from tasks.turns import find_reason_to_skip

NAME = "reconcile-hosts"
PERIOD = timedelta(minutes=5)
"""How far apart the schedule starts runs."""
LONGEST = timedelta(minutes=15)
"""After that a run hangs, whatever it waits for, and ends as TimedOut, which is told.

It is less than `longest_run`, so that a run ends itself before the next takes it for dead, and
leaves time to look, however long the settings let removals be waited for.
"""


@flow(name=NAME, flow_run_name="reconcile-{cluster}", timeout_seconds=LONGEST.total_seconds())
def reconcile_hosts(cluster: str, dry_run: bool = False) -> State[str]:  # noqa: FBT001, FBT002 - a parameter of a deployment
    """Remove from Rancher the hosts whose EC2 instances are dead, as far as proof and caps allow.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.
        dry_run: Go the same way, and stop before anything is removed or anybody is told.

    """
    if reason := find_reason_to_skip(
        NAME, cluster, late_after=PERIOD, alone=True, longest=longest_run()
    ):
        return skipped(reason)

    spec = read_cluster_file(cluster)
    survey = survey_herd(spec, dry_run=dry_run)
    if survey.unbuilt:
        return skipped(survey.unbuilt)
    if dry_run:
        publish_herd(cluster, survey)
        return end_of_dry_run(cluster, survey)

    outcomes = remove_phantoms(spec, survey.removals) if survey.removals else ()
    settled = survey.settled | {settled_by(NAME)}
    untold = raise_alerts(spec, find_problems(survey, outcomes), settled)
    publish_herd(cluster, survey, outcomes)
    return end_of_reconcile(cluster, survey, outcomes, untold)
