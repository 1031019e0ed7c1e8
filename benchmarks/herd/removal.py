"""Removes all phantoms as corral does it: side by side, with a second look at each."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from benchmarks.herd.measured import CLUSTER, Measured
from benchmarks.herd.survey import open_reconciliation, survey
from corral.domain.herd import Rule
from corral.settings import load_cluster_spec
from tasks import connect

DEADLINE = timedelta(minutes=15)


def main() -> None:
    """Remove the phantoms of the herd that the environment points to, however many these are.

    The cluster file's caps are lifted, and so is the deadline, which would leave a part of so many
    to the next run; its number of hosts at once is kept.
    """
    spec = load_cluster_spec(CLUSTER, connect.settings())
    unlimited = replace(
        Rule.of(spec, connect.settings()), max_removals=1_000_000, max_removal_percent=100
    )
    once = open_reconciliation(spec, unlimited)
    patient = replace(once, patience=replace(once.patience, deadline=DEADLINE))
    removals = survey(patient).removals
    measured = Measured()
    with measured.timed():
        outcomes = patient.remove(removals)
    measured.counts = dict(Counter(str(outcome.kind) for outcome in outcomes))
    measured.report()


if __name__ == "__main__":
    main()
