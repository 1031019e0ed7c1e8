"""Prefect's view of a drain: find the pools' queues, listen to them, count what failed for ever."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from threading import Event

import boto3
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from corral.clients.aws import Ec2, Groups, LifecycleQueue
from corral.clients.rancher import RancherClient
from corral.cluster import ClusterSpec, Pool
from corral.errors import CorralError
from tasks import connect
from tasks.drain_reports import DeadLetters, Posts
from tasks.draining import Draining, Roster
from tasks.entrance import enter, removal_patience, say_unbuilt
from tasks.listening import Heard, Listening, Loans, Source, stoppable_pause
from tasks.refusals import problem_of


@task(task_run_name="find-queues-of-{spec.name}", tags=["aws", "rancher"], cache_policy=NO_CACHE)
def find_posts(spec: ClusterSpec) -> Posts:
    """Make sure that account and Rancher are the right ones, and find the queues of the pools."""
    try:
        entrance = enter(spec)
        if entrance.rancher is None:
            return Posts(unbuilt=say_unbuilt(spec))
        # The least that tells whether Rancher answers and takes the key
        entrance.rancher.projects()
    except CorralError as error:
        return Posts(refusal=problem_of(error))
    return _find_posts(spec, entrance.session)


# A tag of its own: it runs all the time, and would hold a slot that limits others for ever.
@task(task_run_name="listen-to-{spec.name}", tags=["listen"], cache_policy=NO_CACHE)
def listen_to_queues(spec: ClusterSpec, pools: Sequence[str], listen_s: float) -> Heard:
    """Take out of Rancher what leaves, until the time is over and the queues are empty."""
    try:
        entrance = enter(spec)
    except CorralError as error:
        return Heard(deaf=dict.fromkeys(pools, error))
    if entrance.rancher is None:
        return Heard()
    sources = [
        Source(
            pool=pool.name,
            queue=_queue(entrance.session, spec, pool),
            drain_time=timedelta(seconds=pool.drain_timeout_s),
        )
        for pool in _named(spec, pools)
    ]
    listening = _listening(spec, entrance.session, entrance.rancher)
    get_run_logger().info("listening to %s for %.0f s", ", ".join(pools), listen_s)
    return listening.listen(sources, listen_s)


@task(task_run_name="count-failed-of-{spec.name}", tags=["aws"], cache_policy=NO_CACHE)
def count_dead_letters(spec: ClusterSpec, pools: Sequence[str]) -> DeadLetters:
    """Count the messages that failed until SQS took them out of the way."""
    counts: dict[str, int] = {}
    deaf: dict[str, CorralError] = {}
    for pool in _named(spec, pools):
        try:
            queue = _queue(connect.aws(spec.aws), spec, pool, "-failed")
            counts[pool.name] = queue.depth() if queue.exists() else 0
        except CorralError as error:
            deaf[pool.name] = error
    return DeadLetters(counts, deaf)


def _find_posts(spec: ClusterSpec, session: boto3.Session) -> Posts:
    found: dict[str, bool] = {}
    deaf: dict[str, CorralError] = {}
    for pool in spec.pools:
        try:
            found[pool.name] = _queue(session, spec, pool).exists()
        except CorralError as error:
            deaf[pool.name] = error
    missing = tuple(name for name, exists in found.items() if not exists)
    for pool_name in missing:
        get_run_logger().info("pool %s has no queue yet: it is not built", pool_name)
    if len(missing) == len(spec.pools):
        return Posts(unbuilt=f"No pool of {spec.name} has its queue yet: none is built.")
    return Posts(tuple(name for name, exists in found.items() if exists), missing, deaf)


def _listening(spec: ClusterSpec, session: boto3.Session, rancher: RancherClient) -> Listening:
    stop, groups = Event(), Groups(session)
    draining = Draining(
        cluster=spec.name,
        group_names=frozenset(f"{spec.name}-{pool.name}" for pool in spec.pools),
        rancher=rancher,
        ec2=Ec2(session),
        groups=groups,
        roster=Roster(rancher),
        patience=removal_patience(),
        pause=stoppable_pause(stop),
    )
    return Listening(
        draining,
        Loans(groups, connect.settings().heartbeat_interval_s),
        workers=spec.reconcile.parallel_removals,
        stop=stop,
    )


def _queue(
    session: boto3.Session, spec: ClusterSpec, pool: Pool, ending: str = ""
) -> LifecycleQueue:
    """Return a queue of a pool, by the name that Terraform gives it."""
    return LifecycleQueue(session, f"{spec.name}-{pool.name}-terminations{ending}")


def _named(spec: ClusterSpec, names: Sequence[str]) -> Iterable[Pool]:
    return (pool for pool in spec.pools if pool.name in names)
