"""The catalog service: what it answers to a path.

catalog-service: service/routes.go, service/template.go, service/catalog.go
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lab.rancher.catalog.answers import Answers, Document, refusal
from lab.rancher.catalog.templates import (
    CATALOGS,
    Template,
    all_templates,
    find_template,
    find_version,
)

ROOT: Final = "v1-catalog"
TEMPLATES: Final = ("templates", "templateversions")

Answer = tuple[int, Document | None]


@dataclass(frozen=True, slots=True)
class Question:
    """What the service needs to know of a request."""

    method: str
    parts: tuple[str, ...]
    """The path after `/v1-catalog`."""
    parameters: Mapping[str, str]
    base: str
    """Scheme and host as the caller sees them."""
    environment: str
    """Id of the account in whose name the call is."""


def answer(question: Question, *, loaded: bool) -> Answer:
    """Return status and document. Until the catalogs are `loaded` it knows of no template."""
    answers = Answers(
        question.base, question.environment, question.parameters.get("rancherVersion", "")
    )
    match question.method, question.parts:
        case "GET", ("catalogs",):
            return 200, answers.catalogs()
        case "GET", ("catalogs", name):
            known = name in CATALOGS
            return (200, answers.catalog(name)) if known else _missing("Catalog not found")
        case "GET", ("templates",):
            return 200, answers.templates(_select(question.parameters) if loaded else [])
        case "POST", ("templates",) if question.parameters.get("action") == "refresh":
            return 204, None
        case "GET", (kind, wanted) if kind in TEMPLATES:
            return _find(answers, wanted) if loaded else _missing("Template not found")
    return _missing("404 page not found")


def _find(answers: Answers, wanted: str) -> Answer:
    """Answer `<catalog>:<base>*<folder>`, or with a version after it."""
    if wanted.count(":") == 1:
        template = find_template(wanted)
        return (200, answers.template(template)) if template else _missing("Template not found")
    found = find_version(wanted)
    if found is None:
        return _missing("Template not found")
    template, version = found
    if version is None:
        return _missing("Version not found")
    return 200, answers.version(template, version)


def _select(parameters: Mapping[str, str]) -> list[Template]:
    catalog = parameters.get("catalogId") or parameters.get("catalog")
    base = parameters.get("templateBase_eq")
    category, without = parameters.get("category"), parameters.get("category_ne")
    return [
        one
        for one in all_templates()
        if (not catalog or one.catalog == catalog)
        and (not base or one.base == base)
        and (not category or one.category == category)
        and (not without or one.category != without)
    ]


def _missing(message: str) -> Answer:
    return 404, refusal(404, message)
