"""Tells people of problems, once each, and of their end; what is open is kept in Prefect.

Nothing here fails a run: what cannot be told is a sentence, and the next run tells it.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import cast

import httpx
from prefect import task
from prefect.blocks.system import Secret
from prefect.cache_policies import NO_CACHE
from pydantic import SecretStr

from corral.clients.alerts import Channel, deliver, resolve_quietly
from corral.cluster import ClusterSpec
from corral.cluster.spec import AlertChannel
from corral.domain.alerts import Problem
from corral.domain.herd import Watch
from corral.errors import AlertError
from tasks import connect
from tasks.crier import Crier
from tasks.memory import PrefectUnavailableError, memory_of

log = logging.getLogger(f"corral.{__name__}")


@task(task_run_name="alert-{spec.name}", cache_policy=NO_CACHE)
def raise_alerts(
    spec: ClusterSpec, problems: Sequence[Problem], settled: Collection[str]
) -> list[str]:
    """Open what is new, tell whom it could not be told before, and resolve what is over.

    Args:
        spec: The cluster with its channels.
        problems: All that are there now.
        settled: The kinds this run could judge: of these, what is no problem any more is over.
            `kind/scope` settles a kind in that scope only.

    Returns:
        A sentence for each channel that could not be told everything; empty if all could.

    """
    return tell(spec.name, spec.alerts, problems, settled)


def tell(
    cluster: str,
    wanted: Sequence[AlertChannel],
    problems: Sequence[Problem],
    settled: Collection[str],
) -> list[str]:
    """Do what `raise_alerts` does, for a cluster whose file may have faults."""
    there = connect.settings().pagerduty_url
    crier = Crier(
        cluster,
        [channel.name for channel in wanted],
        find=lambda: find_channels(wanted),
        deliver=partial(deliver, pagerduty_url=there),
        resolve_quietly=partial(resolve_quietly, pagerduty_url=there),
    )
    try:
        with memory_of(cluster) as memory:
            return crier.tell(memory, problems, settled)
    except PrefectUnavailableError as error:
        return [f"Not everybody was told of everything; the next run goes on with it. {error}"]


def channels(spec: ClusterSpec) -> tuple[list[Channel], list[str]]:
    """Return the cluster's channels, and a sentence for each whose address is not known."""
    return find_channels(spec.alerts)


def find_channels(wanted: Iterable[AlertChannel]) -> tuple[list[Channel], list[str]]:
    """Return the channels whose address is known, and a sentence for each other."""
    found, missing = [], []
    for channel in wanted:
        try:
            found.append(Channel(channel.name, _address(channel)))
        except AlertError as error:
            missing.append(str(error))
    return found, missing


def read_watch(cluster: str) -> Watch | None:
    """Return what earlier runs wrote down, empty at first; None if Prefect could not be asked.

    After None nothing should be kept: it would overwrite what could not be read.
    """
    try:
        with memory_of(cluster) as memory:
            return memory.watch()
    except PrefectUnavailableError as error:
        log.warning("going on without what earlier runs saw: %s", error)
        return None


def keep_watch(cluster: str, watch: Watch) -> None:
    """Write down what the next run has to know; a Prefect that does not answer stops nothing."""
    try:
        with memory_of(cluster) as memory:
            memory.keep_watch(watch)
    except PrefectUnavailableError as error:
        log.warning("the next run will not know what this one saw: %s", error)


def _address(channel: AlertChannel) -> SecretStr:
    """Return a channel's Apprise URL; the worker's environment comes before Prefect's blocks.

    Raises:
        AlertError: Neither has it.
    """
    given = connect.settings().alert_urls.get(channel.name)
    if given is not None:
        return given
    try:
        block = cast("Secret[str]", Secret.load(channel.secret))  # Prefect's twin functions
        return SecretStr(str(block.get()))
    except ValueError as error:
        raise AlertError(
            channel.name,
            f"has no address: make a Secret block {channel.secret} in Prefect that holds its"
            " Apprise URL, or name it in CORRAL_ALERT_URLS.",
        ) from error
    except httpx.HTTPError as error:
        raise AlertError(
            channel.name, f"has its address in Prefect, which cannot be asked: {error}"
        ) from error
