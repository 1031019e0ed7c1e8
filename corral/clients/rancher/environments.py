"""What Rancher is asked of environments: what they are made from, and who works in them."""

from collections.abc import Iterable

from corral.clients.rancher.answers import AccountAnswer, Answer, Named, TemplateAnswer
from corral.clients.rancher.paths import API, path_of
from corral.clients.rancher.transport import Transport
from corral.domain.set_up.members import Membership
from corral.domain.set_up.steps import is_gone
from corral.errors import RancherGoneError


class MembershipAnswer(Named):
    """A member of an environment."""

    external_id: str
    external_id_type: str
    role: str


class EnvironmentCalls:
    """The calls about templates and members; who has them brings the transport."""

    _transport: Transport

    def template_names(self) -> list[str]:
        """Return the names of all project templates that environments can be made from by now."""
        rows = self._transport.read_all(TemplateAnswer, f"{API}/projecttemplates")
        return sorted({row.name for row in rows if row.name and row.state == "active"})

    def template_name(self, template_id: str) -> str | None:
        """Return what a project template is called, a removed one too; None once it is purged."""
        try:
            path = path_of("projecttemplates", template_id)
            return self._transport.read(TemplateAnswer, path).name
        except RancherGoneError:
            return None

    def has_account(self, account_id: str) -> bool:
        """Say whether somebody has an account of this id."""
        try:
            account = self._transport.read(AccountAnswer, path_of("accounts", account_id))
        except RancherGoneError:
            return False
        return account.id == account_id and not is_gone(account.state or "")

    def memberships(self, project_id: str) -> list[Membership]:
        """Return who is a member of an environment."""
        path = f"{path_of('projects', project_id)}/projectmembers"
        rows = self._transport.read_all(MembershipAnswer, path)
        return [
            Membership(row.external_id, row.external_id_type, row.role)
            for row in rows
            if not is_gone(row.state or "")
        ]

    def set_memberships(self, project_id: str, members: Iterable[Membership]) -> None:
        """Replace all members of an environment at once.

        Source: cattle, SetProjectMembersActionHandler.java.
        """
        body = {
            "members": [
                {
                    "externalId": member.external_id,
                    "externalIdType": member.kind,
                    "role": member.role,
                }
                for member in members
            ]
        }
        path = f"{path_of('projects', project_id)}?action=setmembers"
        self._transport.write(Answer, "POST", path, body)
