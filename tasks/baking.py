"""Prefect's view of a bake: see that nothing lacks, then bake."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.context import TaskRunContext

from corral.clients import aws, packer
from corral.clients.checkout import revision_of
from corral.clients.packer import Baking, Event, EventKind
from corral.clients.process import engines_end_with_us
from corral.cluster import ClusterSpec
from corral.domain.images import find_faults, new_name
from corral.domain.stacks import HostPool
from corral.errors import PrerequisiteError
from corral.settings import PROJECT, load_cluster_spec
from tasks import connect
from tasks.leftovers import CLEAN_STAGE, KEEP_STAGE
from tasks.progress import progress, start_progress
from tasks.recipes import Recipe, template_variables, way_in
from tasks.retries import patient_task
from tasks.rolling import roll_stage

BAKE_STAGE = "image"
STAGES = (CLEAN_STAGE, BAKE_STAGE, KEEP_STAGE)

LOUDNESS = {EventKind.DETAIL: logging.INFO, EventKind.TROUBLE: logging.ERROR}


@dataclass(frozen=True, slots=True)
class Baked:
    """An image that was made."""

    id: str
    recipe: Recipe


@task(task_run_name="load-{cluster}", cache_policy=NO_CACHE)
def load_bake(cluster: str, *, roll_out: bool) -> ClusterSpec:
    """Read and check a cluster file, and begin to count the stages of its bake."""
    spec = load_cluster_spec(cluster, connect.settings())
    start_progress(cluster, [*STAGES, *(_roll_stages(spec) if roll_out else ())])
    return spec


@patient_task("check-{spec.name}", "aws")
def check_bake(spec: ClusterSpec) -> Recipe:
    """Make sure, before anything is changed, that this is the right account and nothing lacks.

    Raises:
        PrerequisiteError: Something lacks: a program, the source image, a variable's file.
    """
    if faults := find_faults(spec):
        raise PrerequisiteError(f"{spec.name} cannot be baked for: {'; '.join(faults)}.")
    settings = connect.settings()
    program = packer.find_packer(settings.packer)
    ansible = packer.find_ansible(settings.ansible_playbook)
    path = _variables_file(spec)
    told = packer.read_variables(path)
    session = connect.aws(spec.aws)
    who = aws.check_account(session, spec.aws.account_id)
    source = aws.source_image(session, spec.bake.source_owner, spec.bake.source_name)
    revision = revision_of(PROJECT)
    recipe = Recipe(
        name=new_name(spec.image_name, datetime.now(UTC), revision),
        source=source,
        revision=revision,
        versions=packer.versions_in(settings.images_dir, PROJECT / "node", told),
        variables=path,
        ansible=ansible,
        run=_run_id(),
    )
    get_run_logger().info("%s, with %s and %s, from %s", who.arn, program, ansible, source.name)
    return recipe


@task(task_run_name="bake-{recipe.name}", tags=["packer"], cache_policy=NO_CACHE)
def bake(spec: ClusterSpec, recipe: Recipe) -> Baked:
    """Bake the image; Packer says what it does as it goes, and cleans up whatever happens."""
    settings = connect.settings()
    baking = Baking(
        template=settings.images_dir,
        variables=template_variables(spec, recipe) | settings.packer_variables,
        environment=connect.terraform_environment(spec.aws),
        folder=settings.work_dir / spec.name / "bake",
        deadline=timedelta(seconds=settings.bake_deadline_s),
        way_in=way_in(spec, recipe.source.name),
    )
    with progress().stage(BAKE_STAGE), engines_end_with_us():
        image = packer.bake(packer.find_packer(settings.packer), baking, _Narrator())
    get_run_logger().info("%s is %s", recipe.name, image)
    return Baked(image, recipe)


def _roll_stages(spec: ClusterSpec) -> list[str]:
    pools = [f"{HostPool.folder}/{pool.name}" for pool in spec.pools]
    return [*pools, *(roll_stage(pool) for pool in spec.pools)]


def _variables_file(spec: ClusterSpec) -> Path:
    if spec.bake.variables is None:
        raise PrerequisiteError(
            "The cluster file names no file of Ansible variables in bake.variables: who may log in"
            " on the machines is never guessed; images/operators.example.yml is an example."
        )
    return PROJECT / spec.bake.variables


def _run_id() -> str:
    context = TaskRunContext.get()
    return str(context.task_run.flow_run_id) if context else ""


class _Narrator:
    """Tells the run's log and its progress what Packer says."""

    def __init__(self) -> None:
        self._log = get_run_logger()

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        self._log.log(LOUDNESS.get(event.kind, logging.INFO), "%s", event.text)
        if event.kind is EventKind.STEP:
            progress().move(BAKE_STAGE, 0.5, event.text)
