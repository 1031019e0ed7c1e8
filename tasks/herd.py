"""Prefect's view of a reconcile: survey the herd, and remove what is proven dead."""

from collections.abc import Sequence
from datetime import timedelta

import boto3
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from corral.clients.aws import Ec2, Groups, check_account
from corral.clients.rancher import Patience, RancherClient, admin_secret, read_admin_key
from corral.clients.rancher.removal import Outcome
from corral.cluster import ClusterSpec
from corral.domain.access import KeyPair
from corral.domain.herd import Removal, Rule, Watch
from corral.domain.hosts import Host
from corral.domain.steps import Move
from corral.errors import CorralError
from corral.settings import load_cluster_spec
from tasks import connect
from tasks.alerts import keep_watch, read_watch
from tasks.probes import rancher_url, vault
from tasks.reconciliation import Reconciliation
from tasks.refusals import problem_of
from tasks.surveys import Survey, fail_all


def read_cluster_file(cluster: str) -> ClusterSpec:
    """Return what the cluster is.

    Raises:
        ClusterFileError: Its file has faults.
    """
    return load_cluster_spec(cluster, connect.settings())


@task(task_run_name="survey-{spec.name}", tags=["aws", "rancher"], cache_policy=NO_CACHE)
def survey_herd(spec: ClusterSpec, *, dry_run: bool) -> Survey:
    """Read both sides whole and judge them; what cannot be read is a reason to do nothing."""
    try:
        session, key = _enter(spec)
        if key is None:
            return Survey(unbuilt=_never_set_up(spec))
        survey = _survey(spec, _reconciliation(spec, session, key), dry_run=dry_run)
    except CorralError as error:
        survey = Survey.of_problem(problem_of(error))
    get_run_logger().info("%s", survey)
    return survey


@task(task_run_name="remove-from-{spec.name}", tags=["aws", "rancher"], cache_policy=NO_CACHE)
def remove_phantoms(spec: ClusterSpec, removals: Sequence[Removal]) -> tuple[Outcome, ...]:
    """Remove these hosts after a second look at each; one that fails stops no other."""
    log = get_run_logger()

    def tell(move: Move, host: Host) -> None:
        log.info("host %s (%s): %s", host.id, host.instance_id or host.name, move)

    try:
        session, key = _enter(spec)
        outcomes = _reconciliation(spec, session, key).remove(removals, tell)
    except CorralError as error:
        outcomes = fail_all(removals, error)
    for outcome in outcomes:
        log.info("%s", outcome.sentence)
    return outcomes


def _survey(spec: ClusterSpec, reconciliation: Reconciliation, *, dry_run: bool) -> Survey:
    """Read and judge, with what earlier runs wrote down; a dry run writes nothing."""
    known = read_watch(spec.name)
    view = reconciliation.read()
    assessment = reconciliation.assess(view, known or Watch())
    if known not in (None, assessment.watch) and not dry_run:
        keep_watch(spec.name, assessment.watch)
    return Survey.of(view, assessment)


def _enter(spec: ClusterSpec) -> tuple[boto3.Session, KeyPair | None]:
    """Return the cluster's own AWS, and the key to its Rancher; None before set-up has made it."""
    session = connect.aws(spec.aws)
    check_account(session, spec.aws.account_id)
    return session, read_admin_key(vault(spec, session), spec.name)


def _reconciliation(
    spec: ClusterSpec, session: boto3.Session, key: KeyPair | None
) -> Reconciliation:
    settings = connect.settings()
    return Reconciliation(
        rancher=RancherClient(rancher_url(spec), key),
        ec2=Ec2(session),
        groups=Groups(session),
        rule=Rule.of(
            spec,
            join_grace_s=settings.join_grace_s,
            quiet_s=settings.quiet_s,
            stuck_after_s=settings.stuck_after_s,
        ),
        group_names=[f"{spec.name}-{pool.name}" for pool in spec.pools],
        patience=Patience(
            deadline=timedelta(seconds=settings.removal_deadline_s),
            interval=timedelta(seconds=settings.removal_interval_s),
        ),
        workers=spec.reconcile.parallel_removals,
    )


def _never_set_up(spec: ClusterSpec) -> str:
    return (
        f"{spec.name} has no administrator's key in {admin_secret(spec.name)} yet: it is not built."
    )
