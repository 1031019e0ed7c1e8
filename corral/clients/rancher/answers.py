"""Rancher 1.6's resources as far as corral reads them, and their translation into plain ones."""

import json
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel

from corral.domain.access import KnownKey, KnownProject
from corral.domain.gate import Member
from corral.domain.hosts import Host


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


class AccountAnswer(Named):
    """Somebody who may hold keys: a user, or a project."""

    kind: str | None = None


class ProjectAnswer(Named):
    """An environment."""

    def plain(self) -> KnownProject:
        """Return the environment without Rancher's spelling."""
        return KnownProject(id=self.id, name=self.name or "", state=self.state or "")


class TemplateAnswer(Named):
    """What an environment is orchestrated by."""


class KeyAnswer(Named):
    """An API key; its secret half is there once, in the answer that made it."""

    account_id: str | None = None
    public_value: str | None = None
    secret_value: str | None = Field(default=None, repr=False)

    def plain(self) -> KnownKey:
        """Return the key as something to decide about."""
        return KnownKey(
            id=self.id,
            name=self.name or "",
            state=self.state or "",
            access_key=self.public_value or "",
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


class MemberAnswer(Answer):
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
            address=advertised.partition(":")[0],
            clustered=self.clustered,
            heartbeat=datetime.fromtimestamp(self.heartbeat / 1000, UTC),
        )


class HostAnswer(Named):
    """A host."""

    account_id: str | None = None
    hostname: str | None = None
    agent_ip_address: str | None = None
    agent_state: str | None = None
    labels: dict[str, Any] | None = None
    created: datetime

    def plain(self) -> Host:
        """Return the host as corral sees it; custom hosts have a hostname instead of a name."""
        return Host(
            id=self.id,
            project_id=self.account_id or "",
            name=self.name or self.hostname or "",
            address=self.agent_ip_address or "",
            state=self.state or "",
            agent_state=self.agent_state or "",
            labels={name: str(value) for name, value in (self.labels or {}).items()},
            created=self.created,
        )
