"""Prefect's view of access control: a key, a shut door, and the one step that needs a person."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from corral.clients.rancher import Site
from corral.clients.rancher.set_up import (
    CodeRequest,
    admit,
    ensure_access,
    ensure_admin_key,
    find_code_request,
)
from corral.cluster import ClusterSpec, GithubAccess
from corral.domain.set_up.access import find_code
from corral.domain.set_up.identities import Identity, identities_of_members
from corral.domain.set_up.steps import Step
from corral.errors import CodeRefusedError, PrerequisiteError
from tasks.forms import ask_for_code
from tasks.progress import progress
from tasks.rancher import SECURE_STAGE, rancher_site
from tasks.retries import patient_task
from tasks.waiting import told

TRIES = 3
NO_CODE = (
    "There was no code in what was entered: copy the whole address that GitHub sent the browser to"
    " after this form opened."
)


@dataclass(frozen=True, slots=True)
class Secured:
    """What was done about access control, and what a person is to be asked for, if anything."""

    steps: list[Step]
    request: CodeRequest | None


def secure_rancher(spec: ClusterSpec) -> list[Step]:
    """Make an administrator's key, and let in only whom the cluster file names.

    With GitHub's log-in the run pauses, behind the shut door, until a person has brought a code.

    Raises:
        PrerequisiteError: The cluster file, a secret or Rancher does not allow it, or no code did.
        GateTimeoutError: Nobody brought a code.
    """
    with progress().stage(SECURE_STAGE):
        secured = shut_rancher(spec)
        access = spec.rancher.access
        if secured.request is None or not isinstance(access, GithubAccess):
            return secured.steps
        return secured.steps + _let_person_in(spec, access, secured.request)


def _let_person_in(spec: ClusterSpec, access: GithubAccess, request: CodeRequest) -> list[Step]:
    refusal = ""
    for _ in range(TRIES):
        entered = ask_for_code(spec, access, request, refusal)
        code = find_code(entered, request.state)
        refusal = spend_code(spec, access, code) if code else NO_CODE
        if not refusal:
            return open_rancher(spec).steps
    raise PrerequisiteError(f"After {TRIES} forms nobody is let in, run again: {refusal}")


@patient_task("secure-{spec.name}", "rancher")
def shut_rancher(spec: ClusterSpec) -> Secured:
    """Make an administrator's key, and let nobody in without one; what is there is kept.

    Until then Rancher takes everybody for an administrator, so nothing is waited for before it.
    """
    site = rancher_site(spec)
    return _secured(site, spec, chain(_make_key(site), _control_access(site, spec)))


@task(task_run_name="spend-code-of-{spec.name}", tags=["rancher"], cache_policy=NO_CACHE)
def spend_code(spec: ClusterSpec, access: GithubAccess, code: str) -> str:
    """Use up a person's code, and return why another one is needed; nothing if it did.

    It is never tried again: a code works once.
    """
    try:
        told([admit(rancher_site(spec), access, code, _members(spec))])
    except CodeRefusedError as error:
        get_run_logger().warning("%s", error)
        return str(error)
    return ""


@patient_task("open-{spec.name}", "rancher")
def open_rancher(spec: ClusterSpec) -> Secured:
    """Let in whom the cluster file names, once they are known."""
    site = rancher_site(spec)
    return _secured(site, spec, _control_access(site, spec))


def _make_key(site: Site) -> Iterator[Step]:
    yield ensure_admin_key(site)


def _control_access(site: Site, spec: ClusterSpec) -> Iterator[Step]:
    return ensure_access(site, spec.rancher.access, _members(spec))


def _secured(site: Site, spec: ClusterSpec, steps: Iterable[Step]) -> Secured:
    """Take the steps, and then see whether a person is needed."""
    done = told(steps)
    return Secured(done, find_code_request(site, spec.rancher.access, _members(spec)))


def _members(spec: ClusterSpec) -> tuple[Identity, ...]:
    return identities_of_members(spec.rancher.environments)
