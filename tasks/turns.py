"""Whose turn it is: runs neither overlap nor pile up, whatever the schedule and the worker did."""

from datetime import timedelta


def find_reason_to_skip(
    flow_name: str, cluster: str, *, late_after: timedelta, alone: bool, longest: timedelta
) -> str:
    """Return why this run should end at once, as a sentence for people; "" if it should go on.

    Args:
        flow_name: As Prefect knows the flow: reconcile-hosts.
        cluster: Runs of other clusters do not count.
        late_after: A scheduled run that starts later than this is one of a backlog: the next one
            does its work.
        alone: Whether a run of this flow and cluster that began earlier is a reason as well.
        longest: No living run takes so long: an older one died with its worker.

    """
    raise NotImplementedError(flow_name, cluster, late_after, alone, longest)
