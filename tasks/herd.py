"""Prefect's view of a reconcile: survey the herd, and remove what is proven dead."""

from collections.abc import Sequence
from datetime import timedelta

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from corral.clients.aws import Ec2, Groups
from corral.clients.rancher.removal import Outcome
from corral.cluster import ClusterSpec
from corral.domain.herd import Removal, Rule, Watch
from corral.domain.hosts import Host
from corral.domain.steps import Move
from corral.errors import CorralError, PrerequisiteError
from corral.settings import load_cluster_spec
from tasks import connect
from tasks.alerts import keep_watch, read_watch
from tasks.entrance import Entrance, enter, removal_patience, say_unbuilt
from tasks.farewells import end_incidents_of_machines
from tasks.reconciliation import Reconciliation
from tasks.refusals import problem_of
from tasks.surveys import Survey, fail_all

LONGEST_LOOK = timedelta(minutes=15)
"""What reading and telling take at most, when everybody answers late and every call is retried."""


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
        entrance = enter(spec)
        if entrance.rancher is None:
            return Survey(unbuilt=say_unbuilt(spec))
        survey = _survey(spec, entrance, dry_run=dry_run)
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
        outcomes = _reconciliation(spec, enter(spec)).remove(removals, tell)
    except CorralError as error:
        outcomes = fail_all(removals, error)
    for outcome in outcomes:
        log.info("%s", outcome.sentence)
    end_incidents_of_machines(spec, removals, outcomes)
    return outcomes


def longest_run() -> timedelta:
    """Return what no living run exceeds: the time for removals, and for reading with all retries.

    A run that Prefect shows as running for longer died with its worker.
    """
    return timedelta(seconds=connect.settings().removal_deadline_s) + LONGEST_LOOK


def _survey(spec: ClusterSpec, entrance: Entrance, *, dry_run: bool) -> Survey:
    """Read and judge, with what earlier runs wrote down; a dry run writes nothing."""
    known = read_watch(spec.name)
    reconciliation = _reconciliation(spec, entrance)
    view = reconciliation.read()
    assessment = reconciliation.assess(view, known or Watch())
    if known not in (None, assessment.watch) and not dry_run:
        keep_watch(spec.name, assessment.watch)
    return Survey.of(view, assessment)


def _reconciliation(spec: ClusterSpec, entrance: Entrance) -> Reconciliation:
    if entrance.rancher is None:
        raise PrerequisiteError(say_unbuilt(spec))
    return Reconciliation(
        rancher=entrance.rancher,
        ec2=Ec2(entrance.session),
        groups=Groups(entrance.session),
        rule=Rule.of(spec, connect.settings()),
        group_names=[f"{spec.name}-{pool.name}" for pool in spec.pools],
        patience=removal_patience(),
        workers=spec.reconcile.parallel_removals,
    )
