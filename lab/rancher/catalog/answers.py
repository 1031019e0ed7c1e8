"""Templates as the catalog service answers them. Pure.

catalog-service: service/utils.go, model/*.go, go-rancher
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from lab.rancher.catalog.templates import CATALOGS, Template, TemplateVersion
from lab.rancher.catalog.versions import is_between, is_greater

Document = dict[str, object]

_QUESTION: Final[Mapping[str, object]] = {
    **dict.fromkeys(("variable", "label", "description", "type", "default", "group"), ""),
    **dict.fromkeys(("validChars", "invalidChars"), ""),
    **dict.fromkeys(("minLength", "maxLength", "min", "max"), 0),
    "required": False,
    "options": None,
}


class Answers:
    """Writes templates and versions, with links that the caller can follow."""

    def __init__(self, base: str, environment: str, rancher_version: str) -> None:
        self._here = f"{base}/v1-catalog"
        self._environment = environment
        self._rancher_version = rancher_version

    def catalogs(self) -> Document:
        """Return all catalogs."""
        return self._collection("catalog", "catalogs", [self.catalog(name) for name in CATALOGS])

    def catalog(self, name: str) -> Document:
        """Return one catalog."""
        url, branch = CATALOGS[name]
        link = f"{self._here}/catalogs/{name}?projectId={self._environment}"
        return {
            **_resource(name, "catalog", {"self": link}),
            **dict.fromkeys(("commit", "type"), ""),
            "environmentId": "global",
            "name": name,
            "url": url,
            "branch": branch,
            "kind": "native",
        }

    def templates(self, templates: Iterable[Template]) -> Document:
        """Return those templates that have a version for the Rancher asked for.

        When there is none, the answer has no `data` at all.
        """
        data = [one for one in map(self.template, templates) if one["versionLinks"]]
        return {
            **self._collection("template", "templates", data),
            "actions": {"refresh": f"{self._here}/templates/?action=refresh"},
        }

    def template(self, template: Template) -> Document:
        """Return one template: its links are only to what fits, its default is named anyway."""
        default = next(
            (one.id for one in template.versions if one.version == template.default_version), ""
        )
        return {
            **_resource(template.id, "template", {"icon": self._icon(template)}),
            "catalogId": template.catalog,
            "categories": [template.category],
            "category": template.category,
            "defaultTemplateVersionId": default,
            "defaultVersion": template.default_version,
            "description": template.description,
            "environmentId": "global",
            "folderName": template.folder,
            "isSystem": "",
            "labels": template.labels,
            "license": "",
            "maintainer": "",
            "name": template.name,
            "path": "",
            "templateBase": template.base,
            "upgradeFrom": "",
            "versionLinks": {
                one.version: self._link(one.id) for one in template.versions if self._fits(one)
            },
        }

    def version(self, template: Template, version: TemplateVersion) -> Document:
        """Return one version, whether it fits or not; the links are to newer ones that do.

        Not played: `upgrade_from`, which no template of the lab's has.
        """
        links = {"icon": self._icon(template), "template": self._link(template.id)}
        newer = [
            one
            for one in template.versions
            if is_greater(one.version, version.version) and self._fits(one)
        ]
        if newer:
            default = next((one for one in newer if one.version == template.default_version), None)
            links["defaultUpgradeVersion"] = self._link((default or newer[-1]).id)
        return {
            **_resource(version.id, "templateVersion", links),
            "bindings": None,
            "files": version.files,
            "labels": {},
            "maximumRancherVersion": version.maximum_rancher_version,
            "minimumRancherVersion": version.minimum_rancher_version,
            "questions": [_question(one) for one in version.questions] or None,
            "readme": "",
            "revision": version.revision,
            "templateId": template.id,
            "upgradeFrom": "",
            "upgradeVersionLinks": {one.version: self._link(one.id) for one in newer},
            "version": version.version,
        }

    def _fits(self, version: TemplateVersion) -> bool:
        least, most = version.minimum_rancher_version, version.maximum_rancher_version
        return is_between(least, self._rancher_version, most)

    def _link(self, template_id: str) -> str:
        return f"{self._here}/templates/{template_id}"

    def _icon(self, template: Template) -> str:
        return f"{self._link(template.id)}?image&projectId={self._environment}"

    def _collection(self, kind: str, plural: str, data: list[Document]) -> Document:
        document: Document = {
            "type": "collection",
            "resourceType": kind,
            "links": {"self": f"{self._here}/{plural}"},
            "actions": {},
        }
        return {**document, "data": data} if data else document


def refusal(status: int, message: str) -> Document:
    """Return an error: its status is a text, and it has no code.

    catalog-service: service/utils.go (ReturnHTTPError), model/error.go
    """
    return {
        "type": "error",
        "links": {},
        "actions": {},
        "status": str(status),
        "message": message,
    }


def _resource(resource_id: str, kind: str, links: Mapping[str, str]) -> Document:
    return {"id": resource_id, "type": kind, "links": dict(links), "actions": {}}


def _question(given: Mapping[str, Any]) -> Document:
    """Return a question with all its fields; a default is a text, whatever it was."""
    default = given.get("default", "")
    text = str(default).lower() if isinstance(default, bool) else str(default)
    return {**_QUESTION, **given, "default": text}
