"""What environments are made from: project templates, which Rancher loads some time after start."""

from collections.abc import Sequence

from corral.clients.rancher.client import RancherClient
from corral.clients.rancher.set_up.site import Site
from corral.cluster import Environment
from corral.domain.set_up.environments import find_project, find_template_fault
from corral.errors import PrerequisiteError


def find_template_id(site: Site, rancher: RancherClient, name: str) -> str:
    """Return the template's id; it is there once Rancher has loaded its catalog.

    Raises:
        PrerequisiteError: The catalog has been loaded, and does not have it.
    """
    found: list[str] = []
    earlier: list[str] = []

    def look() -> list[str]:
        found[:] = [i for i in [rancher.template_id(name)] if i]
        if found:
            return []
        names = rancher.template_names()
        if names and names == earlier:
            raise PrerequisiteError(
                f"Rancher has no project template {name}; it has: {', '.join(names)}."
            )
        earlier[:] = names
        return ["Rancher has not loaded it from its catalog yet"]

    site.patience.wait(f"project template {name}", look)
    return found[0]


def find_faults_of_template(
    site: Site, rancher: RancherClient, environment: Environment
) -> Sequence[str]:
    """Return why an environment cannot be made from its template, or was made from another."""
    project = find_project(environment.name, rancher.projects())
    if project is None:
        find_template_id(site, rancher, environment.template)
        return []
    found = rancher.template_name(project.template_id) if project.template_id else None
    fault = find_template_fault(environment.name, environment.template, found)
    return [fault] if fault else []
