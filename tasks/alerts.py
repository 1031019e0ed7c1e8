"""Tells people of problems, once each, and of their end; what is open is kept in Prefect."""

from collections.abc import Collection, Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from corral.clients.alerts import Channel
from corral.cluster import ClusterSpec
from corral.domain.alerts import Problem
from corral.domain.herd import Watch


@task(task_run_name="alert-{spec.name}", cache_policy=NO_CACHE)
def raise_alerts(
    spec: ClusterSpec, problems: Sequence[Problem], settled: Collection[str]
) -> list[str]:
    """Open, repeat to whom it could not be told, and resolve; never fails because of a channel.

    Args:
        spec: The cluster with its channels.
        problems: All that are there now.
        settled: The kinds this run could judge: of these, what is no problem any more is resolved.

    Returns:
        A sentence for each thing that could not be told or recorded; empty if all was.

    """
    raise NotImplementedError(spec, problems, settled)


def channels(spec: ClusterSpec) -> tuple[list[Channel], list[str]]:
    """Return the cluster's channels, and a sentence for each that has no address."""
    raise NotImplementedError(spec)


def read_watch(cluster: str) -> Watch | None:
    """Return what earlier runs wrote down, empty at first; None if Prefect could not be asked.

    After None nothing should be kept: it would overwrite what could not be read.
    """
    raise NotImplementedError(cluster)


def keep_watch(cluster: str, watch: Watch) -> None:
    """Write down what the next run has to know; a Prefect that does not answer stops nothing."""
    raise NotImplementedError(cluster, watch)
