"""The stacks that environments are run by, brought to the versions that fit a new Rancher."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corral.clients.rancher.client import RancherClient
from corral.clients.rancher.set_up.site import Site, read_project
from corral.clients.rancher.set_up.stack_way import StackWay
from corral.cluster import Environment
from corral.domain.infrastructure import UNMANAGED, find_dead_end, is_upgradable, order_stacks
from corral.domain.set_up.catalog import SCHEME, TemplateVersion
from corral.domain.set_up.stacks import KnownStack, StackWish
from corral.domain.set_up.steps import Did, Step
from corral.errors import RancherGoneError

MANAGER = "upgrade.manager"
ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """One environment, and its stacks that may be upgraded, in order."""

    name: str
    project_id: str
    stacks: tuple[KnownStack, ...]


def find_dead_ends(site: Site, environments: Sequence[Environment], target: str) -> Iterator[str]:
    """Yield a sentence for each stack that a new version of Rancher would leave behind.

    Nothing is written. A stack whose version has left its catalog says nothing about the next.
    """
    rancher = site.administrator()
    for place in _places(rancher, environments):
        for stack in place.stacks:
            current = _version_of(rancher, place, stack, target)
            if current and (fault := find_dead_end(stack, current, target)):
                yield f"In environment {place.name}, {fault}."


def upgrade_infrastructure(site: Site, environments: Sequence[Environment]) -> Iterator[Step]:
    """Bring the stacks of environments to what their catalog offers this Rancher, one by one.

    Each is healthy on its new version before the next begins. None is touched where Rancher's own
    setting says that nobody but people upgrades stacks, and none in an environment without hosts,
    where nothing would ever come up.

    Raises:
        GateTimeoutError: A stack was not healthy in time; the error says how its services are.
        PrerequisiteError: Rancher could not make the stack of its new version.
    """
    rancher = site.administrator()
    if rancher.setting(MANAGER).effective == UNMANAGED:
        return
    for place in _places(rancher, environments):
        if not _has_hosts(rancher, place.project_id):
            continue
        for stack in place.stacks:
            # The key may be replaced while stacks are waited for.
            yield _upgrade(site, site.administrator(), place, stack)


def _upgrade(site: Site, rancher: RancherClient, place: Infrastructure, stack: KnownStack) -> Step:
    what = f"stack {stack.name} of environment {place.name}"
    version = _newest(rancher, place, stack)
    if version is None:
        return Step(what, Did.KEPT)
    # Which of its answers are secret, only its maker knows.
    wish = StackWish.of(
        stack.name, version, stack.answers, infrastructure=True, secret=stack.answers.keys()
    )
    way = StackWay(rancher, place.project_id, place.name, wish)
    site.patience.wait(what, way.go_on)
    return Step(what, way.did)


def _newest(
    rancher: RancherClient, place: Infrastructure, stack: KnownStack
) -> TemplateVersion | None:
    """Return the version that a stack shall have; None if what it has is gone from its catalog.

    An upgrade that somebody began, or a run that died, is brought to its end.
    """
    server = rancher.server_version()
    current = _version_of(rancher, place, stack, server)
    if current is None or not current.upgrade:
        return current if stack.state != ACTIVE else None
    return rancher.template_version(current.upgrade, place.project_id, server=server)


def _version_of(
    rancher: RancherClient, place: Infrastructure, stack: KnownStack, server: str
) -> TemplateVersion | None:
    version_id = stack.external_id.removeprefix(SCHEME)
    try:
        return rancher.template_version(version_id, place.project_id, server=server)
    except RancherGoneError:
        return None


def _places(
    rancher: RancherClient, environments: Sequence[Environment]
) -> Iterator[Infrastructure]:
    for environment in environments:
        project_id = read_project(rancher, environment.name).id
        pinned = {one.name for one in environment.stacks if one.version is not None}
        found = (one for one in rancher.stacks(project_id) if is_upgradable(one, pinned))
        yield Infrastructure(environment.name, project_id, tuple(order_stacks(found)))


def _has_hosts(rancher: RancherClient, project_id: str) -> bool:
    """Say whether there are any: right after its servers' start, no agent has come back yet."""
    return any(not host.is_removed for host in rancher.hosts(project_id))
