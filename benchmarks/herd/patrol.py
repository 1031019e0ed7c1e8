"""Reconciles again and again, as the schedule has it done, but in one process.

A process takes its seconds to start, and these are not the lab's, which are faster.
"""

import time

from flows.reconcile_hosts import reconcile_hosts


def patrol(cluster: str, period_s: float) -> None:
    """Begin a run each period, until somebody ends this process.

    Args:
        cluster: Whose hosts are looked after.
        period_s: Seconds of this computer between two begins.
    """
    due = time.monotonic()
    while True:
        time.sleep(max(0.0, due - time.monotonic()))
        due += period_s
        reconcile_hosts(cluster, return_state=True)
