"""The first steps of every flow: read what the cluster is, and make sure it can be worked on."""

from collections.abc import Sequence

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from corral.clients import aws
from corral.clients.terraform import check_provider, find_engine
from corral.cluster import ClusterSpec
from corral.domain.plans import find_faults
from corral.domain.stacks import ControlPlane, Database, HostPool, SecurityGroups, Vpc
from corral.errors import PrerequisiteError
from corral.settings import load_cluster_spec
from tasks import connect
from tasks.probes import check_living_cluster
from tasks.progress import start_progress
from tasks.rancher import HOSTS_STAGE, SERVER_STAGES, SET_UP_STAGE
from tasks.retries import PATIENCE_S, if_temporary


@task(task_run_name="load-{cluster}", cache_policy=NO_CACHE)
def load_cluster(cluster: str) -> ClusterSpec:
    """Read and check a cluster file, and begin to count the stages of its build."""
    spec = load_cluster_spec(cluster, connect.settings())
    start_progress(cluster, _stages(spec))
    return spec


@task(
    task_run_name="check-{spec.name}",
    tags=["aws"],
    retries=2,
    retry_delay_seconds=PATIENCE_S,
    retry_condition_fn=if_temporary,
    cache_policy=NO_CACHE,
)
def check_prerequisites(spec: ClusterSpec, allow: Sequence[str] = ()) -> None:
    """Make sure, before anything is changed, that this is the right account and nothing lacks."""
    log, settings = get_run_logger(), connect.settings()
    _check_permissions(spec, allow)
    engine = find_engine(settings.terraform, settings.work_dir)
    provider = check_provider(engine, settings)
    session = connect.aws(spec.aws)
    who = aws.check_account(session, spec.aws.account_id)
    aws.check_zones(session, spec.network.zones)
    aws.hosted_zone(session, spec.dns.zone)
    image = aws.newest_image(session, spec.image_name)
    if spec.load_balancer.certificate == "find":
        aws.issued_certificate(session, spec.dns.name)
    check_living_cluster(spec, session)
    log.info("%s in %s, with %s and image %s", who.arn, spec.aws.region, engine, image.name)
    log.info("provider %s", provider)


@task(
    task_run_name="ensure-state-bucket-{spec.aws.state_bucket}",
    tags=["aws"],
    retries=2,
    retry_delay_seconds=PATIENCE_S,
    retry_condition_fn=if_temporary,
    cache_policy=NO_CACHE,
)
def ensure_state_bucket(spec: ClusterSpec) -> None:
    """Make the bucket of the Terraform states if it is missing, and mend what differs."""
    place = spec.aws
    done = aws.ensure_state_bucket(
        connect.aws(place),
        place.state_bucket,
        place.account_id,
        tags={"ManagedBy": "corral", "Cluster": spec.name},
    )
    get_run_logger().info("state bucket %s: %s", place.state_bucket, ", ".join(done) or "kept")


def _check_permissions(spec: ClusterSpec, allow: Sequence[str]) -> None:
    if faults := find_faults(allow, [*_stacks(), *_pools(spec)]):
        raise PrerequisiteError(f"In allow, {'; '.join(faults)}: nothing was changed.")


def _stages(spec: ClusterSpec) -> list[str]:
    return [*_stacks(), *SERVER_STAGES, SET_UP_STAGE, *_pools(spec), HOSTS_STAGE]


def _stacks() -> list[str]:
    return [stack.folder for stack in (Vpc, SecurityGroups, Database, ControlPlane)]


def _pools(spec: ClusterSpec) -> list[str]:
    return [f"{HostPool.folder}/{pool.name}" for pool in spec.pools]
