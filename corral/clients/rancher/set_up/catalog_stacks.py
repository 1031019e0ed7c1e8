"""Stacks from Rancher's catalogs: made, upgraded, and waited for until they are healthy."""

from collections.abc import Iterator, Sequence
from functools import partial

from corral.clients.rancher.set_up.faults import told
from corral.clients.rancher.set_up.site import Site, read_project
from corral.clients.rancher.set_up.stack_way import StackWay
from corral.clients.rancher.set_up.wishes import Catalogs, WishReader
from corral.cluster import Environment
from corral.domain.set_up.environments import find_project
from corral.domain.set_up.stack_requests import StackRequest, requests_of
from corral.domain.set_up.stacks import KnownStack, StackWish, find_fault, find_stack
from corral.domain.set_up.steps import Step
from corral.errors import PrerequisiteError


def ensure_stacks(site: Site, environments: Sequence[Environment]) -> Iterator[Step]:
    """See to it that every stack is there, of its version and with its answers, and healthy.

    What cannot be is found before anything is written. A stack is healthy only with hosts.

    Raises:
        AmbiguousError: A name is held twice.
        GateTimeoutError: A stack was not healthy in time; the error says how its services are.
        PrerequisiteError: A template, a version, an answer or a secret is wrong, or Rancher could
            not make the stack of them.
    """
    rancher = site.administrator()
    catalogs = Catalogs(site, rancher)
    wishes = [
        (environment, read_project(rancher, environment.name).id, wish)
        for environment in environments
        for wish in _read_wishes(catalogs, environment)
    ]
    for environment, project_id, wish in wishes:
        # The key may be replaced while stacks are waited for.
        way = StackWay(site.administrator(), project_id, environment.name, wish)
        yield _ensure_stack(site, way)


def find_stack_faults(site: Site, environments: Sequence[Environment]) -> list[str]:
    """Return a sentence for each stack that cannot be as the cluster file says.

    Nothing is written. What Rancher loads from its catalogs after its start is waited for, each
    catalog once; one that is not loaded in time is one fault, however many stacks come from it.
    """
    catalogs = Catalogs(site, site.first_administrator())
    faults = [
        fault
        for environment in environments
        for request in requests_of(environment)
        for fault in told(partial(_check, catalogs, environment, request))
    ]
    return list(dict.fromkeys(faults))


def _ensure_stack(site: Site, way: StackWay) -> Step:
    what = f"stack {way.wish.name} of environment {way.environment}"
    site.patience.wait(what, way.go_on)
    return Step(what, way.did)


def _read_wishes(catalogs: Catalogs, environment: Environment) -> Iterator[StackWish]:
    for request in requests_of(environment):
        yield _read_wish(catalogs, environment, request)


def _check(catalogs: Catalogs, environment: Environment, request: StackRequest) -> Sequence[str]:
    """See to it that a stack can be made, or can become what it shall be."""
    _read_wish(catalogs, environment, request)
    return ()


def _read_wish(catalogs: Catalogs, environment: Environment, request: StackRequest) -> StackWish:
    """Return a stack as it shall be.

    Raises:
        PrerequisiteError: It cannot be.
    """
    rancher = catalogs.rancher
    project = find_project(environment.name, rancher.projects())
    stacks: list[KnownStack] = rancher.stacks(project.id) if project else []
    known = find_stack(environment.name, request.name, stacks)
    if fault := find_fault(request.template, known, infrastructure=request.infrastructure):
        raise PrerequisiteError(
            f"The stack {request.name} of environment {environment.name}: {fault}."
        )
    reader = WishReader(catalogs, environment.name, project.id if project else None)
    return reader.read(request)
