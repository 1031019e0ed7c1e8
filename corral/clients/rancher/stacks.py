"""What Rancher is asked of stacks, and what it is to do with one: one method a call."""

from urllib.parse import quote

from pydantic import Field, field_validator

from corral.clients.rancher.answers import Answer, Named
from corral.clients.rancher.paths import scoped_path
from corral.clients.rancher.transport import Transport
from corral.domain.set_up.stacks import KnownStack, StackWish
from corral.domain.set_up.steps import is_gone

STACKS = "stacks"


class StackAnswer(Named):
    """A stack; its answers may be secret."""

    external_id: str | None = None
    health_state: str | None = None
    system: bool | None = None
    environment: dict[str, str] = Field(default_factory=dict, repr=False)
    transitioning: str | None = None
    transitioning_message: str | None = None

    @field_validator("environment", mode="before")
    @classmethod
    def as_text(cls, value: object) -> object:
        """Read every answer as the text that it was; none at all comes as null."""
        if not isinstance(value, dict):
            return value or {}
        return {name: "" if one is None else str(one) for name, one in value.items()}

    def plain(self) -> KnownStack:
        """Return it without Rancher's spelling."""
        return KnownStack(
            id=self.id,
            name=self.name or "",
            state=self.state or "",
            health=self.health_state or "",
            external_id=self.external_id or "",
            answers=self.environment,
            is_infrastructure=bool(self.system),
            message=self._trouble,
        )

    @property
    def _trouble(self) -> str:
        """What Rancher says went wrong; what goes well is no news."""
        return (self.transitioning_message or "") if self.transitioning == "error" else ""


class ServiceAnswer(Named):
    """A service of a stack."""

    health_state: str | None = None
    stack_id: str | None = None


class StackCalls:
    """The calls about stacks; who has them brings the transport."""

    _transport: Transport

    def stacks(self, project_id: str) -> list[KnownStack]:
        """Return the stacks of an environment."""
        rows = self._transport.read_all(StackAnswer, scoped_path(project_id, STACKS))
        return [row.plain() for row in rows]

    def create_stack(self, project_id: str, wish: StackWish) -> None:
        """Make a stack and start it.

        Source: cattle, CatalogServiceImpl.deploy; stack.json.
        """
        body = {
            "name": wish.name,
            "system": wish.is_infrastructure,
            "startOnCreate": True,
            **_made_of(wish),
        }
        self._transport.write(Answer, "POST", scoped_path(project_id, STACKS), body)

    def upgrade_stack(self, project_id: str, stack_id: str, wish: StackWish) -> None:
        """Begin to replace a stack's containers by those of another version or other answers.

        Source: cattle, CatalogServiceImpl.upgrade; stackUpgrade.json.
        """
        path = f"{scoped_path(project_id, STACKS, stack_id)}?action=upgrade"
        self._transport.write(Answer, "POST", path, _made_of(wish))

    def act_on_stack(self, project_id: str, stack_id: str, action: str) -> None:
        """Have an upgrade finished or cancelled, or a stack removed with all that is in it."""
        path = f"{scoped_path(project_id, STACKS, stack_id)}?action={quote(action, safe='')}"
        self._transport.write(Answer, "POST", path)

    def services_of(self, project_id: str, stack_id: str) -> list[str]:
        """Return how each service of a stack is, as `web is active and healthy`."""
        path = scoped_path(project_id, "services")
        rows = self._transport.read_all(ServiceAnswer, path, {"stackId": stack_id})
        return [
            f"{row.name or row.id} is {row.state} and {row.health_state or 'of unknown health'}"
            for row in rows
            if row.stack_id == stack_id and not is_gone(row.state or "")
        ]


def _made_of(wish: StackWish) -> dict[str, object]:
    return {
        "externalId": wish.version.external_id,
        "dockerCompose": wish.version.docker_compose,
        "rancherCompose": wish.version.rancher_compose,
        "environment": dict(wish.answers),
    }
