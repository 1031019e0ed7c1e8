"""What the catalog service beside Rancher is asked: templates, their versions, their files.

It answers at Rancher's own address. Its links are not followed: only the ids in them are taken.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from pydantic import Field, field_validator

from corral.clients.rancher.answers import Answer, Named, Page
from corral.clients.rancher.transport import Transport
from corral.domain.set_up.catalog import Question, TemplateVersion
from corral.errors import RancherGoneError

CATALOG: Final = "/v1-catalog"
UPGRADE: Final = "defaultUpgradeVersion"


class CatalogPage(Page[Named]):
    """A list of the service; an empty one comes without rows at all.

    Source: rancher/catalog-service, model/template.go (data is left out when empty).
    """

    data: list[Named] = Field(default_factory=list)


class CatalogTemplateAnswer(Answer):
    """A template, with a link to each of its versions."""

    id: str
    version_links: dict[str, str] = Field(default_factory=dict)


class QuestionAnswer(Answer):
    """What a template asks."""

    variable: str
    default: str = ""
    required: bool = False
    options: tuple[str, ...] = ()

    @field_validator("default", mode="before")
    @classmethod
    def as_text(cls, value: object) -> str:
        """Take what YAML had as a number or a truth for the text that people see."""
        return _text(value)

    @field_validator("options", mode="before")
    @classmethod
    def as_texts(cls, value: object) -> tuple[str, ...]:
        """Take each option for its text; none at all comes as null."""
        return tuple(_text(one) for one in value) if isinstance(value, list) else ()

    def plain(self) -> Question:
        """Return it without the service's spelling."""
        return Question(self.variable, self.default, self.required, self.options)


class TemplateVersionAnswer(Answer):
    """One version of a template."""

    id: str
    version: str
    minimum_rancher_version: str | None = None
    maximum_rancher_version: str | None = None
    files: dict[str, str] = Field(default_factory=dict, repr=False)
    links: dict[str, str] = Field(default_factory=dict)
    questions: list[QuestionAnswer] | None = None

    def plain(self) -> TemplateVersion:
        """Return it without the service's spelling.

        Source: cattle, systemstack/model/Template.java: a file with conditions has another name.
        rancher/catalog-service, service/utils.go: the version that an upgrade leads to, which
        heeds `upgrade_from`, and is left out where there is none.
        """
        compose = self.files.get("docker-compose.yml") or self.files.get("docker-compose.yml.tpl")
        return TemplateVersion(
            id=self.id,
            version=self.version,
            minimum=self.minimum_rancher_version or "",
            maximum=self.maximum_rancher_version or "",
            questions=tuple(question.plain() for question in self.questions or ()),
            upgrade=_last_part(self.links.get(UPGRADE, "")),
            docker_compose=compose or "",
            rancher_compose=self.files.get("rancher-compose.yml", ""),
        )


class CatalogCalls:
    """The calls to the catalog service; who has them brings the transport."""

    _transport: Transport

    def catalogs(self, project_id: str | None = None) -> list[str]:
        """Return the names of the catalogs that an environment sees; None sees those of all."""
        return self._ids("catalogs", _scope(project_id))

    def catalog_templates(self, catalog: str, project_id: str | None = None) -> list[str]:
        """Return the ids of the templates of a catalog; none until it has been loaded."""
        return self._ids("templates", _scope(project_id) | {"catalogId": catalog})

    def template_versions(
        self, template: str, project_id: str | None = None, *, server: str = ""
    ) -> dict[str, str] | None:
        """Return the id of each version of a template; None if there is no such template.

        Args:
            template: As `library:infra*ecr`.
            project_id: Environments may have catalogs of their own.
            server: Version of Rancher that they have to fit; "" returns all.
        """
        filters = _scope(project_id) | ({"rancherVersion": server} if server else {})
        try:
            found = self._transport.read(CatalogTemplateAnswer, _path(template), filters)
        except RancherGoneError:
            return None
        return {version: _last_part(link) for version, link in found.version_links.items()}

    def template_version(
        self, version_id: str, project_id: str | None = None, *, server: str = ""
    ) -> TemplateVersion:
        """Return one version of a template, as `library:infra*ecr:1`.

        Args:
            version_id: As a stack carries it.
            project_id: Environments may have catalogs of their own.
            server: Version of Rancher that an upgrade has to fit; "" takes any.

        Raises:
            RancherGoneError: It is not there any more.
        """
        filters = _scope(project_id) | ({"rancherVersion": server} if server else {})
        return self._transport.read(TemplateVersionAnswer, _path(version_id), filters).plain()

    def _ids(self, kind: str, filters: Mapping[str, str]) -> list[str]:
        page = self._transport.read(CatalogPage, f"{CATALOG}/{kind}", filters)
        return [row.id for row in page.data]


def _path(template: str) -> str:
    return f"{CATALOG}/templates/{quote(template, safe=':*')}"


def _scope(project_id: str | None) -> dict[str, str]:
    """Return the parameter that says for which environment a question is.

    Source: cattle, ApiAuthenticator.java.
    """
    return {"projectId": project_id} if project_id else {}


def _last_part(link: str) -> str:
    return unquote(urlsplit(link).path.rpartition("/")[2])


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
