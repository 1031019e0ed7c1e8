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
from corral.domain.herd import Rule
from corral.domain.incidents import find_incidents
from corral.errors import CorralError
from tasks import connect
from tasks.drain_reports import DeadLetters, Posts
from tasks.draining import Draining
from tasks.entrance import enter, removal_patience, say_unbuilt
from tasks.farewells import end_incidents
from tasks.fates import Fate
from tasks.listening import Heard, Listening, Source, stoppable_pause
from tasks.loans import Loans
from tasks.refusals import problem_of
from tasks.roster import Roster

BEATS_A_HOOK = 4
"""Signs of life, at least, within the time for which a group waits without one."""


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
    heard = listening.listen(sources, listen_s)
    end_incidents(spec, _incidents(spec, heard))
    return heard


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


def _incidents(spec: ClusterSpec, heard: Heard) -> list[str]:
    """Return the keys of what machines may have told people whose hosts are gone now."""
    environments = {pool.name: pool.environment for pool in spec.pools}
    gone = (each for each in heard.handled if each.fate is Fate.DRAINED)
    return find_incidents((environments[each.pool], each.instance_id) for each in gone)


def seconds_of_a_beat(spec: ClusterSpec) -> float:
    """Return the seconds between two signs of life that no pool's group finds too long."""
    hook_s = min(pool.drain_timeout_s for pool in spec.pools)
    return min(connect.settings().heartbeat_interval_s, hook_s / BEATS_A_HOOK)


def _listening(spec: ClusterSpec, session: boto3.Session, rancher: RancherClient) -> Listening:
    stop, ec2, groups = Event(), Ec2(session), Groups(session)
    draining = Draining(
        cluster=spec.name,
        group_names=frozenset(f"{spec.name}-{pool.name}" for pool in spec.pools),
        rancher=rancher,
        ec2=ec2,
        groups=groups,
        roster=Roster(rancher, ec2, Rule.of(spec, connect.settings())),
        patience=removal_patience(),
        pause=stoppable_pause(stop),
    )
    return Listening(
        draining,
        Loans(groups, seconds_of_a_beat(spec)),
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
