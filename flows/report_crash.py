"""The story of a crash: a run ended without a word, or fell silent, so Prefect starts this one."""

from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State

from tasks.crashes import end_of_report, end_of_watch, not_needed, read_crash, tell_of_crash
from tasks.silence import end_if_silent


@flow(name="report-crash", flow_run_name="report-{run_id}")
def report_crash(run_id: UUID) -> State[str]:
    """Tell people through the cluster's own channels that one of its runs crashed.

    A run of which nothing is heard any more is ended as crashed, which starts this flow again.

    Args:
        run_id: Id of the run, as Prefect's automations hand it over.

    """
    crash = read_crash(run_id)
    if crash.is_at_work:
        return end_of_watch(crash, was_ended=end_if_silent(run_id))
    if crash.is_over:
        return not_needed(crash)

    untold = tell_of_crash(crash)
    return end_of_report(crash, untold)
