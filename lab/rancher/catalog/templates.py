"""Templates and their versions, read from folders that are laid out as a catalog's repository is.

catalog-service: manager/traverse.go, parse/path.go, parse/compose.go
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

CONTENT: Final = Path(__file__).parent / "content"
CATALOGS: Final = {
    "community": ("https://git.rancher.io/community-catalog.git", "master"),
    "library": ("https://git.rancher.io/rancher-catalog.git", "v1.6-release"),
}
"""Address and branch of each catalog.

cattle: catalog.url
"""


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """One version: the files that a stack is made from, and whom it fits."""

    id: str
    revision: int
    version: str
    minimum_rancher_version: str
    maximum_rancher_version: str
    questions: Sequence[Mapping[str, Any]]
    files: Mapping[str, str]

    @property
    def docker_compose(self) -> str | None:
        """Return the services; a file with conditions in it has another name.

        cattle: systemstack/model/Template.getDockerCompose
        """
        return self.files.get("docker-compose.yml") or self.files.get("docker-compose.yml.tpl")

    @property
    def rancher_compose(self) -> str | None:
        """Return what Rancher knows of the services beyond Docker."""
        return self.files.get("rancher-compose.yml")


@dataclass(frozen=True, slots=True)
class Template:
    """One entry of a catalog."""

    id: str
    catalog: str
    base: str
    """The word before `-templates` in its folder: infra, project, or none."""
    folder: str
    name: str
    description: str
    category: str
    default_version: str
    labels: Mapping[str, str]
    versions: Sequence[TemplateVersion]
    """Oldest first."""


@cache
def all_templates() -> Sequence[Template]:
    """Return the templates of all catalogs, in no special order."""
    return [
        _read_template(catalog, folder.parent)
        for catalog in CATALOGS
        for folder in sorted((CONTENT / catalog).glob("*/*/config.yml"))
    ]


def find_template(template_id: str) -> Template | None:
    """Return the template of an id such as `library:infra*ecr`."""
    return next((one for one in all_templates() if one.id == template_id), None)


def find_version(version_id: str) -> tuple[Template, TemplateVersion | None] | None:
    """Return template and version of an id: its third part is a revision or the version's name."""
    template_id, _, wanted = version_id.rpartition(":")
    template = find_template(template_id)
    if template is None:
        return None
    named = str(int(wanted)) if wanted.isdigit() else wanted
    for version in template.versions:
        if named in (str(version.revision), version.version):
            return template, version
    return template, None


def _read_template(catalog: str, folder: Path) -> Template:
    config = yaml.safe_load((folder / "config.yml").read_text())
    base, dash, _ = folder.parent.name.partition("-")
    named = f"{base}*{folder.name}" if dash else folder.name
    template_id = f"{catalog}:{named}"
    revisions = sorted(
        (one for one in folder.iterdir() if one.is_dir()), key=lambda one: int(one.name)
    )
    return Template(
        id=template_id,
        catalog=catalog,
        base=base if dash else "",
        folder=folder.name,
        name=config["name"],
        description=config.get("description", ""),
        category=config.get("category", ""),
        default_version=config["version"],
        labels=config.get("labels", {}),
        versions=[_read_version(template_id, one) for one in revisions],
    )


def _read_version(template_id: str, folder: Path) -> TemplateVersion:
    files = {one.name: one.read_text() for one in sorted(folder.iterdir())}
    about = yaml.safe_load(files["rancher-compose.yml"])[".catalog"]
    return TemplateVersion(
        id=f"{template_id}:{folder.name}",
        revision=int(folder.name),
        version=about["version"],
        minimum_rancher_version=about.get("minimum_rancher_version", ""),
        maximum_rancher_version=about.get("maximum_rancher_version", ""),
        questions=about.get("questions", []),
        files=files,
    )
