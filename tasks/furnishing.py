"""Prefect's view of what is in Rancher's environments: people, registries, catalog stacks."""

from functools import partial
from itertools import chain

from corral.clients.aws import registry_login
from corral.clients.rancher.set_up import (
    await_registries,
    ensure_members,
    ensure_registries,
    ensure_stacks,
    find_access_faults,
    find_environment_faults,
    find_registry_faults,
    find_setting_faults,
    find_stack_faults,
)
from corral.clients.rancher.set_up.registries import EcrLogin
from corral.cluster import ClusterSpec
from corral.domain.set_up.steps import Step
from corral.errors import PrerequisiteError
from tasks import connect
from tasks.progress import progress
from tasks.rancher import SET_UP_STAGE, STACKS_STAGE, make_environments, rancher_site
from tasks.retries import patient_task
from tasks.waiting import told


def furnish_rancher(spec: ClusterSpec) -> list[Step]:
    """Give Rancher its address, settings, environments, and who and what is in them."""
    steps = make_environments(spec)
    with progress().stage(SET_UP_STAGE):
        return [*steps, *set_members(spec), *make_registries(spec)]


@patient_task("check-furnishing-of-{spec.name}", "rancher")
def check_furnishing(spec: ClusterSpec) -> None:
    """Make sure, before anything but access control is written, that the rest can be had.

    Raises:
        PrerequisiteError: Something cannot; all faults are told at once.
    """
    faults = find_furnishing_faults(spec)
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        head = (
            f"Rancher cannot be as the file of {spec.name} says; but for access control nothing was"
            f" changed; {count}:"
        )
        raise PrerequisiteError("\n".join([head, *(f"  {fault}" for fault in faults)]))


def find_furnishing_faults(spec: ClusterSpec) -> list[str]:
    """Return a sentence for each thing in Rancher that cannot be as the cluster file says."""
    site, environments = rancher_site(spec), spec.rancher.environments
    faults = [
        *find_access_faults(site, spec.rancher.access),
        *find_setting_faults(site, spec.rancher.settings),
        *find_environment_faults(site, environments),
        *find_registry_faults(site, environments, ecr_login_of(spec)),
        *find_stack_faults(site, environments),
    ]
    # A name that is held twice stands in the way of all that is in the environment.
    return list(dict.fromkeys(faults))


@patient_task("set-members-of-{spec.name}", "rancher")
def set_members(spec: ClusterSpec) -> list[Step]:
    """Give each environment the members of its list; who is one already is kept."""
    return told(ensure_members(rancher_site(spec), spec.rancher.environments))


@patient_task("make-registries-of-{spec.name}", "rancher")
def make_registries(spec: ClusterSpec) -> list[Step]:
    """Give each environment its registries with their log-ins; what is there is kept."""
    site = rancher_site(spec)
    return told(ensure_registries(site, spec.rancher.environments, ecr_login_of(spec)))


def deploy_stacks(spec: ClusterSpec) -> list[Step]:
    """Make the stacks of each environment, or upgrade them, and wait until they are healthy."""
    with progress().stage(STACKS_STAGE):
        return await_stacks(spec)


@patient_task("deploy-stacks-of-{spec.name}", "rancher")
def await_stacks(spec: ClusterSpec) -> list[Step]:
    """Make or upgrade the stacks one after another, each until it is healthy and did its work."""
    site, environments = rancher_site(spec), spec.rancher.environments
    steps = chain(ensure_stacks(site, environments), await_registries(site, environments))
    return told(steps)


def ecr_login_of(spec: ClusterSpec) -> EcrLogin:
    """Return what asks AWS, as the cluster's role, for a registry's log-in."""
    return partial(registry_login, connect.aws(spec.aws))
