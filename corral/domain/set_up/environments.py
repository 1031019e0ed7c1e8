"""Environments: which of those that Rancher lists is meant."""

from collections.abc import Sequence
from dataclasses import dataclass

from corral.domain.set_up.steps import GONE_STATES
from corral.errors import AmbiguousError, PrerequisiteError


@dataclass(frozen=True, slots=True)
class KnownProject:
    """An environment as Rancher lists it.

    `host_remove_delay_s` is its own delay of Rancher's remover of disconnected hosts; negative
    means off, None that the setting for all environments holds. `template_id` is the template that
    it was made from; None if it is older than templates are.
    """

    id: str
    name: str
    state: str
    host_remove_delay_s: int | None = None
    template_id: str | None = None


def find_project(name: str, projects: Sequence[KnownProject]) -> KnownProject | None:
    """Return the environment of a name; None if there is none.

    Raises:
        AmbiguousError: Rancher allows one name twice; guessing would send hosts astray.
    """
    found = [p for p in projects if p.name == name and p.state not in GONE_STATES]
    if len(found) > 1:
        raise AmbiguousError(f"The environment {name}", [project.id for project in found])
    return found[0] if found else None


def find_template_fault(environment: str, wanted: str, found: str | None) -> str:
    """Return why an environment cannot be the wanted one; "" if it is, or nobody knows.

    Args:
        environment: Its name.
        wanted: Name of the template in the cluster file.
        found: Name of the template that it was made from; None if that is not known any more.

    Source: cattle, user-auth.json: projectTemplateId is written at creation only.
    """
    if found is None or found.casefold() == wanted.casefold():
        return ""
    return (
        f"The environment {environment} was made from the template {found}, and Rancher never"
        f" changes that: write template: {found}, or choose another name."
    )


def project_ids(names: Sequence[str], projects: Sequence[KnownProject]) -> dict[str, str]:
    """Return the id of each environment by its name.

    Raises:
        AmbiguousError: A name is held twice.
        PrerequisiteError: An environment is missing.
    """
    found = {name: find_project(name, projects) for name in names}
    if missing := [name for name, project in found.items() if project is None]:
        raise PrerequisiteError(
            f"Rancher has no environment {', '.join(missing)}: set it up first."
        )
    return {name: project.id for name, project in found.items() if project}
