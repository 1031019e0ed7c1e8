"""Prefect's view of an end: what there is to end, hosts that leave, stacks, what no state has."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import boto3
from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from corral.clients import aws
from corral.clients.rancher import RancherClient, read_admin_key
from corral.cluster import ClusterSpec
from corral.domain.ending import (
    Doomed,
    Ending,
    SpareDatabase,
    States,
    as_markdown,
    find_ending,
    find_ending_of_pool,
    name_last_snapshot,
)
from corral.domain.stacks import Database, HostPool
from corral.domain.standing import INSTANCE, Standing
from corral.domain.states import StackState
from corral.settings import load_cluster_spec
from tasks import connect
from tasks.emptying import Emptying
from tasks.entrance import removal_patience
from tasks.probes import rancher_url, vault
from tasks.progress import progress, start_progress
from tasks.retries import patient_task
from tasks.terraform import Consent, destroy_side_by_side, destroy_stack, unlock_stack
from tasks.waiting import Teller, wait_for

HOSTS_STAGE = "farewell of hosts"
REST_STAGE = "what no state has"
THROW_AWAY = "restore-drill"
"""The purpose, by its tag, of databases that nobody wants a last snapshot of."""


@task(task_run_name="load-{cluster}", cache_policy=NO_CACHE)
def load_ending_cluster(cluster: str) -> ClusterSpec:
    """Read and check a cluster file."""
    return load_cluster_spec(cluster, connect.settings())


@patient_task("look-at-end-of-{spec.name}", "aws")
def look_at_end(spec: ClusterSpec, pool: str) -> Ending:
    """Return what is left of a cluster, or of one of its pools, and keep it for people to read.

    Raises:
        PrerequisiteError: There is no such pool, or states are at odds with each other.
        WrongAccountError: The credentials are another account's.
    """
    session, place = connect.aws(spec.aws), spec.aws
    aws.check_account(session, place.account_id)
    states = aws.read_states(session, place.state_bucket, place.account_id, spec.name)
    ending = (
        find_ending_of_pool(spec, states, pool)
        if pool
        else replace(
            find_ending(spec, states),
            databases=_spare_databases(session, spec, states),
            secrets=tuple(aws.list_secrets(session, vault_tags(spec))),
        )
    )
    names = [doomed.stack.name for doomed in ending.stacks]
    start_progress(spec.name, [HOSTS_STAGE, *names, REST_STAGE])
    create_markdown_artifact(_in_detail(ending), key=f"end-of-{ending.name}")
    return ending


@patient_task("farewell-in-{spec.name}", "aws", "rancher")
def say_farewell(spec: ClusterSpec, pools: Sequence[str]) -> tuple[str, ...]:
    """Take all hosts of some pools out of Rancher, and return their ids; groups grow no more.

    Nothing is to be done for a group that is gone, nor where Rancher has no servers any more.

    Raises:
        GateTimeoutError: Some hosts did not go; those are named, with the reason.
    """
    log, session = get_run_logger(), connect.aws(spec.aws)
    groups = [f"{spec.name}-{pool}" for pool in pools]
    with progress().stage(HOSTS_STAGE):
        for group in groups:
            aws.stop_growth(session, group)
        if not _machines_of(session, groups):
            return ()
        rancher = _living_rancher(spec, session)
        if rancher is None:
            log.warning("%s has no Rancher any more: its machines just end", spec.name)
            return ()
        emptying = Emptying(
            rancher,
            removal_patience(),
            drain_time=timedelta(seconds=_drain_time_s(spec, pools)),
            workers=spec.reconcile.parallel_removals,
            tell=partial(log.info, "%s"),
        )
        return emptying.empty(partial(_machines_of, session, groups))


def end_stacks(stacks: Sequence[Doomed], consent: Consent) -> None:
    """Destroy everything in the states of stacks, in their order; pools go side by side.

    Raises:
        CorralError: One could not be destroyed; those after it were not touched.
    """
    pools = [doomed for doomed in stacks if isinstance(doomed.stack, HostPool)]
    if pools:
        approved = _approved(pools, consent)
        destroy_side_by_side([doomed.stack for doomed in pools], approved)
    for doomed in stacks[len(pools) :]:
        # What is protected is told first that it may go.
        if doomed.guarded:
            unlock_stack(doomed.stack, doomed.guarded, consent)
        destroy_stack(doomed.stack, _approved([doomed], consent))


def end_spare_databases(spec: ClusterSpec, databases: Sequence[SpareDatabase]) -> None:
    """Delete the databases that are in no state."""
    for spare in databases:
        end_spare_database(spec, spare)


@patient_task("end-database-{spare.identifier}", "aws")
def end_spare_database(spec: ClusterSpec, spare: SpareDatabase) -> None:
    """Delete a database after its last snapshot, and wait until it is gone.

    Raises:
        GateTimeoutError: It takes too long.
    """
    session = connect.aws(spec.aws)

    def probe() -> list[str]:
        gone = aws.end_database(session, spare.identifier, spare.snapshot)
        return [] if gone else [f"{spare.identifier} is still there"]

    what = f"the end of the database {spare.identifier}"
    wait_for(what, probe, connect.settings().terraform_deadline_s, Teller(REST_STAGE))


@patient_task("end-logs-of-{spec.name}", "aws")
def end_logs(spec: ClusterSpec) -> None:
    """Delete the logs of databases that were in no state; those of the last one went with it."""
    first = Standing.first(spec.name).identifier
    for name in aws.end_log_groups(connect.aws(spec.aws), first):
        get_run_logger().info("the log group %s is deleted", name)


@patient_task("end-secrets-of-{spec.name}", "aws")
def end_secrets(spec: ClusterSpec, names: Collection[str]) -> None:
    """Have the secrets deleted that corral has made; they can be called back for a while."""
    session = connect.aws(spec.aws)
    for name in names:
        aws.end_secret(session, name)
        get_run_logger().info("the secret %s goes in %d days", name, aws.RECOVERY_DAYS)


def vault_tags(spec: ClusterSpec) -> dict[str, str]:
    """Return the tags of what corral itself has made for a cluster."""
    return {"Cluster": spec.name, "ManagedBy": "corral"}


def _approved(stacks: Sequence[Doomed], consent: Consent) -> Consent:
    """Return what whoever agreed to the end of these has approved."""
    # A run that begins before midnight may end after it.
    until = datetime.now(UTC).date() + timedelta(days=1)
    approvals = (approval for doomed in stacks for approval in doomed.approvals(until))
    return replace(consent, approvals=(*approvals, *consent.approvals))


def _in_detail(ending: Ending) -> str:
    addresses = (
        f"- `{doomed.stack.name}:{address}`"
        for doomed in ending.stacks
        for address in doomed.addresses
    )
    return "\n".join([as_markdown(ending), "", *addresses])


def _spare_databases(
    session: boto3.Session, spec: ClusterSpec, states: States
) -> tuple[SpareDatabase, ...]:
    """Return the databases of a cluster that no state has."""
    state = states.get(Database.folder, StackState())
    known = state.attributes.get(INSTANCE, {}).get("identifier")
    tagged = aws.find_instances(session, {"Cluster": spec.name})
    found = (one for one in tagged if one.identifier != known)
    return tuple(
        SpareDatabase(
            one.identifier,
            ""
            if one.tags.get("Purpose") == THROW_AWAY
            else name_last_snapshot(one.identifier, one.resource_id),
        )
        for one in found
    )


def _living_rancher(spec: ClusterSpec, session: boto3.Session) -> RancherClient | None:
    """Return an administrator of a cluster that has servers; None where nobody can answer."""
    servers = aws.find_group(session, f"{spec.name}-control")
    key = read_admin_key(vault(spec, session), spec.name)
    if key is None or servers is None or not servers.members:
        return None
    return RancherClient(rancher_url(spec), key)


def _machines_of(session: boto3.Session, groups: Sequence[str]) -> frozenset[str]:
    found = (aws.find_group(session, group) for group in groups)
    return frozenset(
        member.instance_id for group in found if group is not None for member in group.members
    )


def _drain_time_s(spec: ClusterSpec, pools: Sequence[str]) -> float:
    """Return how long containers are waited for: as long as the most patient of the pools does."""
    named = [pool.drain_timeout_s for pool in spec.pools if pool.name in pools]
    return max(named, default=removal_patience().deadline.total_seconds())
