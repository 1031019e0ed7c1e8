"""Rancher 1.6's resources as far as corral reads them, and their translation into plain ones."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from sys import intern
from typing import Any, Final, Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from corral.clients.rancher.refusals import Reply
from corral.domain.gate import Member
from corral.domain.hosts import Host
from corral.domain.set_up.environments import KnownProject
from corral.domain.set_up.keys import KnownKey
from corral.domain.steps import ENDED_STATES
from corral.errors import RancherAnswerError

# Of the faults of an answer; thousands of rows have thousands.
FAULTS: Final = 5
# Source: cattle, process definitions of instances.
IDLE_STATES: Final = frozenset({"stopped", "error", "erroring", "removing", *ENDED_STATES})
NO_OBJECT: Final = ("json_invalid", "model_type")


class Answer(BaseModel):
    """Any resource; Rancher sends much more than is read here."""

    # A fault in an answer must not quote it: some answers hold a secret.
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, hide_input_in_errors=True
    )


class Named(Answer):
    """A resource with an id, perhaps a name, and a state."""

    id: str
    name: str | None = None
    state: str | None = None


A = TypeVar("A", bound=Answer)
N = TypeVar("N", bound=Named)


class Pagination(Answer):
    """Where a page stands in its list."""

    next: str | None = None


class Page(Answer, Generic[N]):
    """A part of a list, or all of it."""

    data: list[N]
    pagination: Pagination | None = None

    @property
    def following(self) -> int | None:
        """How many rows come before the next page; None if there is none.

        Source: cattle, AbstractJooqResourceManager.java: the marker is `m` and the offset.
        """
        link = self.pagination.next if self.pagination else None
        if not link:
            return None
        marker = parse_qs(urlsplit(link).query).get("marker", [""])[-1]
        if not (marker.startswith("m") and marker[1:].isdecimal()):
            raise RancherAnswerError("Rancher names a next page that makes no sense")
        return int(marker[1:])


def parsed(kind: type[A], reply: Reply, where: str) -> A:
    """Return an answer as what it should be.

    Raises:
        RancherAnswerError: It is something else; what it holds is not quoted.
    """
    try:
        return kind.model_validate_json(reply.body)
    except ValidationError as error:
        raise RancherAnswerError(
            f"{where} answered {reply.status} with {_said(error, reply)}", status=reply.status
        ) from error


def _said(error: ValidationError, reply: Reply) -> str:
    """Return what an answer is instead of what it should be."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    if faults[0]["type"] in NO_OBJECT and not faults[0]["loc"]:
        kind = reply.content_type or "no type"
        return f"something that is no JSON object ({kind}): is this Rancher?"
    places = (".".join(map(str, fault["loc"])) for fault in faults[:FAULTS])
    return f"an answer without sense: {', '.join(places)}"


class AccountAnswer(Named):
    """Somebody who may hold keys: a user, or a project."""

    kind: str | None = None


class ProjectAnswer(Named):
    """An environment."""

    host_remove_delay_seconds: int | None = None
    project_template_id: str | None = None

    def plain(self) -> KnownProject:
        """Return the environment without Rancher's spelling."""
        return KnownProject(
            id=self.id,
            name=self.name or "",
            state=self.state or "",
            host_remove_delay_s=self.host_remove_delay_seconds,
            template_id=self.project_template_id,
        )


class TemplateAnswer(Named):
    """What an environment is orchestrated by."""


class KeyAnswer(Named):
    """An API key; its secret half is there once, in the answer that made it."""

    account_id: str | None = None
    created: datetime
    public_value: str | None = None
    secret_value: str | None = Field(default=None, repr=False)

    def plain(self) -> KnownKey:
        """Return the key as something to decide about."""
        return KnownKey(
            id=self.id,
            name=self.name or "",
            state=self.state or "",
            access_key=self.public_value or "",
            created=self.created,
        )


class SettingAnswer(Answer):
    """A setting: what holds at the moment, and where that comes from."""

    name: str
    value: str | None = None
    active_value: str | None = None
    source: str | None = None

    @property
    def effective(self) -> str:
        """What the server goes by; its database may say something else."""
        return (self.value if self.active_value is None else self.active_value) or ""


class MemberAnswer(Named):
    """A server in the table of cluster members; `config` is JSON inside JSON."""

    uuid: str
    heartbeat: int
    clustered: bool = False
    config: dict[str, Any] = Field(default_factory=dict)

    @field_validator("config", mode="before")
    @classmethod
    def unpack(cls, value: object) -> object:
        """Read the JSON that Rancher sends as a string."""
        return json.loads(value) if isinstance(value, str) else value or {}

    def plain(self) -> Member:
        """Return the member by the address it advertises, `10.0.1.5:9345` without the port."""
        advertised = str(self.config.get("advertiseAddress") or self.uuid)
        return Member(
            id=self.id,
            address=advertised.partition(":")[0],
            clustered=self.clustered,
            heartbeat=datetime.fromtimestamp(self.heartbeat / 1000, UTC),
        )


class HostAnswer(Named):
    """A host."""

    account_id: str
    hostname: str | None = None
    agent_ip_address: str | None = None
    agent_state: str | None = None
    labels: dict[str, Any] | None = None
    actions: dict[str, Any] | None = None
    created: datetime
    removed: str | None = None

    @property
    def is_removed(self) -> bool:
        """Whether the host is out of Rancher; its row stays for some days.

        Source: cattle, SetRemovedFields.java: `removed` is written at the end of the removal.
        """
        return self.removed is not None or self.state in ENDED_STATES

    def plain(self) -> Host:
        """Return the host as corral sees it; custom hosts have a hostname instead of a name.

        Equal words of different hosts are one in memory: herds have a hundred thousand of each.
        """
        hostname = self.hostname or ""
        return Host(
            id=self.id,
            project_id=intern(self.account_id),
            name=self.name or hostname,
            hostname=hostname,
            address=self.agent_ip_address or "",
            state=intern(self.state or ""),
            agent_state=intern(self.agent_state or ""),
            labels={intern(name): str(value) for name, value in (self.labels or {}).items()},
            created=self.created,
            actions=_shared(tuple(self.actions or ())),
            is_removed=self.is_removed,
        )


class ContainerAnswer(Named):
    """A container on a host.

    `system` marks those that Rancher starts on every host for itself; evacuating leaves them.

    Source: cattle, InstanceConstants.isSystem, ExternalHostEventCreate.java.
    """

    system: bool | None = None
    labels: dict[str, Any] | None = None
    removed: str | None = None

    @property
    def keeps_busy(self) -> bool:
        """Whether a user's work is, or may still be, going on in it."""
        is_agent = (self.labels or {}).get("io.rancher.container.system") == "rancher-agent"
        is_over = self.removed is not None or self.state in IDLE_STATES
        return not (self.system or is_agent or is_over)


@lru_cache(maxsize=256)
def _shared(names: tuple[str, ...]) -> frozenset[str]:
    """Return one set for all hosts that offer the same."""
    return frozenset(names)
