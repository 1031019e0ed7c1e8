"""Environments, and the keys with which their hosts join."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain

from pydantic import SecretStr

from corral.clients.rancher.set_up.environment_keys import ensure_environment_key
from corral.clients.rancher.set_up.faults import told
from corral.clients.rancher.set_up.members import find_unknown_accounts
from corral.clients.rancher.set_up.site import Site, find_inactivity
from corral.clients.rancher.set_up.templates import find_faults_of_template, find_template_id
from corral.cluster import Environment
from corral.domain.set_up.environments import find_project
from corral.domain.set_up.steps import Did, Step


def ensure_environments(
    site: Site, environments: Sequence[Environment], alerts: Sequence[SecretStr] = ()
) -> Iterator[Step]:
    """See to it that every environment is there, active, and has a key for its hosts.

    Args:
        site: The Rancher that is set up.
        environments: What there shall be.
        alerts: Apprise URLs of the channels that hosts tell when they cannot join or leave.

    Raises:
        AmbiguousError: A name is held twice; nothing was changed.
    """
    projects = site.administrator().projects()
    for environment in environments:
        find_project(environment.name, projects)
    for environment in environments:
        yield ensure_environment(site, environment)
        yield ensure_environment_key(site, environment, alerts)


def ensure_environment(site: Site, environment: Environment) -> Step:
    """See to it that an environment of this name exists and is active."""
    name, rancher, did = environment.name, site.administrator(), Did.KEPT
    if find_project(name, rancher.projects()) is None:
        template_id = find_template_id(site, rancher, environment.template)
        rancher.create_project(name, environment.description, template_id)
        did = Did.CREATED
    site.patience.wait(f"environment {name}", lambda: find_inactivity(rancher, name))
    return Step(f"environment {name}", did)


def find_environment_faults(site: Site, environments: Sequence[Environment]) -> list[str]:
    """Return a sentence for each environment that cannot be as the cluster file says.

    Nothing is written. What Rancher loads from its catalog after its start is waited for.
    """
    rancher = site.first_administrator()
    return [
        *chain.from_iterable(
            told(partial(find_faults_of_template, site, rancher, one)) for one in environments
        ),
        *chain.from_iterable(find_unknown_accounts(rancher, one) for one in environments),
    ]
