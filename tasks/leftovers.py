"""Prefect's view of what baking leaves behind: builders nobody waits for, and images of old."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound

from corral.clients import aws
from corral.clients.packer import CLEANING
from corral.cluster import ClusterSpec
from corral.domain.images import Builder, Fate, family_of, find_leftovers, judge_images
from tasks import connect
from tasks.progress import progress
from tasks.retries import patient_task
from tasks.waiting import Teller

CLEAN_STAGE = "builders left behind"
KEEP_STAGE = "old images"

BUILDERS_END = timedelta(minutes=10)
"""How long EC2 may take to end a builder."""


@task(task_run_name="clean-up-{spec.name}", tags=["aws"], cache_policy=NO_CACHE)
def remove_leftovers(spec: ClusterSpec, run: str) -> list[str]:
    """End the builders of runs that are over, and return what was removed; others are let alone.

    Args:
        spec: The cluster.
        run: Id of this run, which has no builder yet: what has its mark is of a try that died.

    """
    log, settings, session = get_run_logger(), connect.settings(), connect.aws(spec.aws)
    with progress().stage(CLEAN_STAGE):
        builders = aws.find_builders(session, spec.name)
        leftovers = find_leftovers(
            builders,
            _known_ends({builder.run for builder in builders}) | {run: True},
            now=datetime.now(UTC),
            longest=timedelta(seconds=settings.bake_deadline_s) + CLEANING,
        )
        for builder in builders:
            log.info("builder %s of run %s: %s", builder.id, builder.run, _said(builder, leftovers))
        removed = aws.end_builders(
            session,
            spec.name,
            leftovers,
            deadline=BUILDERS_END,
            interval=timedelta(seconds=settings.gate_interval_s),
            on_wait=Teller(CLEAN_STAGE),
        )
    if removed:
        log.warning("removed what earlier bakes left behind: %s", ", ".join(removed))
    return removed


@patient_task("remove-old-images-of-{spec.name}", "aws")
def remove_old_images(spec: ClusterSpec) -> list[Fate]:
    """Remove the images that nobody needs, and return what became of each, the newest first."""
    log, session, family = get_run_logger(), connect.aws(spec.aws), family_of(spec.image_name)
    with progress().stage(KEEP_STAGE):
        images = aws.baked_images(session, family)
        fates = judge_images(
            images,
            aws.users_of(session, {image.id for image in images}),
            keep=spec.bake.keep,
            keep_days=spec.bake.keep_days,
            now=datetime.now(UTC),
        )
        for fate in fates:
            if not fate.is_kept:
                aws.remove_image(session, fate.image)
                log.info("removed %s (%s): %s", fate.image.name, fate.image.id, fate.reason)
        for snapshot in aws.remove_lost_snapshots(session, family):
            log.info("removed %s, whose image is gone", snapshot)
    return fates


def _known_ends(runs: Iterable[str]) -> dict[str, bool]:
    """Return which runs have ended and which have not; those that nobody knows are left out."""
    found = {run: _state_of(run) for run in runs}
    return {run: state.is_final() for run, state in found.items() if state}


def _state_of(run: str) -> State[Any] | None:
    """Return the state of a run, as far as it can be known.

    A Prefect that does not answer proves nothing, and one that does not know the run neither: it
    may be another Prefect's. Such a builder is ended when it is too old for any bake.
    """
    try:
        with get_client(sync_client=True) as client:
            return client.read_flow_run(UUID(run)).state
    except (ObjectNotFound, ValueError):
        return None
    except httpx.HTTPError as error:
        get_run_logger().warning("whether run %s is over cannot be known: %s", run, error)
        return None


def _said(builder: Builder, leftovers: list[Builder]) -> str:
    return "left behind" if builder in leftovers else "at work, it is let alone"
