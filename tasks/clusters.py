"""The first steps of every flow: read what the cluster is, and make sure it can be worked on."""

from collections.abc import Sequence

import boto3
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from corral.clients import aws
from corral.clients.rancher.set_up import find_secret_faults
from corral.clients.terraform import check_provider, find_engine
from corral.cluster import ClusterSpec
from corral.domain.judging import read_approvals
from corral.domain.stacks import ControlPlane, Database, HostPool, SecurityGroups, Vpc
from corral.errors import PrerequisiteError
from corral.settings import load_cluster_spec
from tasks import connect
from tasks.probes import check_living_cluster, vault
from tasks.progress import start_progress
from tasks.rancher import (
    HOSTS_STAGE,
    SECURE_STAGE,
    SERVER_STAGES,
    SET_UP_STAGE,
    STACKS_STAGE,
    rancher_site,
)
from tasks.retries import patient_task
from tasks.rolling import roll_stage
from tasks.terraform import Consent


@task(task_run_name="load-{cluster}", cache_policy=NO_CACHE)
def load_cluster(cluster: str) -> ClusterSpec:
    """Read and check a cluster file, and begin to count the stages of its build."""
    spec = load_cluster_spec(cluster, connect.settings())
    start_progress(cluster, _stages(spec))
    return spec


@task(task_run_name="load-{cluster}", cache_policy=NO_CACHE)
def load_built_cluster(
    cluster: str, stages: Sequence[str] = (SECURE_STAGE, SET_UP_STAGE, STACKS_STAGE)
) -> ClusterSpec:
    """Read and check a cluster file, and begin to count the stages of what is done to it.

    Args:
        cluster: Name of a file in deployments/clusters, without its ending.
        stages: Their names, in order; without any, those of Rancher's set-up.

    """
    spec = load_cluster_spec(cluster, connect.settings())
    start_progress(cluster, stages)
    return spec


@patient_task("find-{spec.name}", "aws")
def check_built(spec: ClusterSpec) -> None:
    """Make sure that this is the cluster's own account, and that its servers are there.

    Raises:
        PrerequisiteError: They are not.
    """
    session = connect.aws(spec.aws)
    aws.check_account(session, spec.aws.account_id)
    group = aws.find_group(session, f"{spec.name}-control")
    if group is None or group.desired == 0:
        raise PrerequisiteError(
            f"{spec.name} has no servers of Rancher yet: build it first, with build-cluster"
            f"/{spec.name}."
        )
    check_living_cluster(spec, session)


@patient_task("check-{spec.name}", "aws")
def check_prerequisites(spec: ClusterSpec) -> None:
    """Make sure, before anything is changed, that this is the right account and nothing lacks."""
    log, settings = get_run_logger(), connect.settings()
    engine = find_engine(settings.terraform, settings.work_dir)
    provider = check_provider(engine, settings)
    session = connect.aws(spec.aws)
    who = aws.check_account(session, spec.aws.account_id)
    aws.check_zones(session, spec.network.zones)
    aws.hosted_zone(session, spec.dns.zone)
    image = aws.newest_image(session, spec.image_name)
    if spec.load_balancer.certificate == "find":
        aws.issued_certificate(session, spec.dns.name)
    _check_secrets(spec, session)
    check_living_cluster(spec, session)
    log.info("%s in %s, with %s and image %s", who.arn, spec.aws.region, engine, image.name)
    log.info("provider %s", provider)


def read_consent(spec: ClusterSpec, approvals: Sequence[str], *, ask: bool) -> Consent:
    """Return what this run may do to the cluster's stacks.

    Args:
        spec: The cluster.
        approvals: Each as `STACK:ADDRESS`, or `STACK:ADDRESS until YYYY-MM-DD`.
        ask: Whether the run may pause with a form.

    Raises:
        PrerequisiteError: Some of them can approve nothing; all of these are told.
    """
    read, faults = read_approvals(approvals, [*_stacks(), *_pools(spec)])
    if faults:
        raise PrerequisiteError(f"In approvals, {'; '.join(faults)}: nothing was changed.")
    return Consent(read, ask)


@patient_task("ensure-state-bucket-{spec.aws.state_bucket}", "aws")
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


def _check_secrets(spec: ClusterSpec, session: boto3.Session) -> None:
    secrets = vault(spec, session)
    if missing := [name for name in spec.rancher.secrets if secrets.read(name) is None]:
        raise PrerequisiteError(
            f"AWS Secrets Manager has no secret {', '.join(missing)}, which the file of {spec.name}"
            " names: make it first, docs/cluster-file.md says what it holds; nothing was changed."
        )
    rancher = spec.rancher
    if faults := find_secret_faults(rancher_site(spec), rancher.access, rancher.environments):
        raise PrerequisiteError("\n".join([*faults, "Nothing was changed."]))


def _stages(spec: ClusterSpec) -> list[str]:
    rolls = [roll_stage(pool) for pool in spec.pools]
    before, after = [*_stacks(), *SERVER_STAGES, SET_UP_STAGE], [HOSTS_STAGE, STACKS_STAGE]
    return [*before, *_pools(spec), *rolls, *after]


def _stacks() -> list[str]:
    return [stack.folder for stack in (Vpc, SecurityGroups, Database, ControlPlane)]


def _pools(spec: ClusterSpec) -> list[str]:
    return [f"{HostPool.folder}/{pool.name}" for pool in spec.pools]
