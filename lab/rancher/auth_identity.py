"""Who somebody is to others: a user, an organisation or a team, by the provider's own number. Pure.

cattle: Identity.java; rancher-auth-service: providers/github/github_account.go
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lab.rancher.callers import Key, identity_key, parse_id
from lab.rancher.rendering import Document, format_id
from lab.rancher.rows import Account

RANCHER_ID: Final = "rancher_id"
GITHUB_USER: Final = "github_user"
GITHUB_ORG: Final = "github_org"
GITHUB_TEAM: Final = "github_team"


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity. `kind` says whose number `external_id` is."""

    kind: str
    external_id: str
    name: str = ""
    login: str = ""
    picture: str = ""
    page: str = ""
    user: bool = False

    @property
    def id(self) -> str:
        """Return kind and number, as the setting of the allowed ones holds them."""
        return f"{self.kind}:{self.external_id}"

    @property
    def key(self) -> Key:
        """Return what two identities are the same by."""
        return identity_key(self.kind, self.external_id)

    def document(self) -> Document:
        """Return the identity as Rancher's API shows it.

        gdapi: TypeIdFormatter.formatId (an id that is no number follows an exclamation mark)
        """
        return {
            "id": f"1i!{self.id}",
            "type": "identity",
            "links": {},
            "actions": {},
            "all": None,
            "externalId": self.external_id,
            "externalIdType": self.kind,
            "login": self.login or None,
            "name": self.name or None,
            "profilePicture": self.picture or None,
            "profileUrl": self.page or None,
            "projectId": None,
            "role": None,
            "user": self.user,
        }

    def plain_document(self) -> Document:
        """Return the identity as the auth service shows it: what is empty is left out.

        go-rancher: v2/generated_identity.go
        """
        fields: Document = {
            "id": self.id,
            "type": "identity",
            "externalId": self.external_id,
            "externalIdType": self.kind,
            "login": self.login,
            "name": self.name,
            "profilePicture": self.picture,
            "profileUrl": self.page,
            "user": self.user,
        }
        return {
            "links": {},
            "actions": {},
            **{name: value for name, value in fields.items() if value},
        }


def of_account(account: Account, login: str | None) -> Identity:
    """Return an account of Rancher's own as an identity.

    cattle: AuthDaoImpl.getIdentity
    """
    number = format_id("account", account.id) or ""
    return Identity(RANCHER_ID, number, account.name or "", login or "", user=True)


def user_among(identities: Iterable[Identity], kind: str) -> Identity | None:
    """Return the one that is the person.

    cattle: AbstractTokenUtil.getUser
    """
    return next((one for one in identities if one.kind == kind), None)


def read_identity(text: str) -> tuple[str, str] | None:
    """Return kind and number of an id such as `github_org:9919`, `1i!` before it or not."""
    kind, colon, external_id = text.removeprefix("1i!").partition(":")
    return (kind, external_id) if colon else None


def account_number(external_id: str) -> int | None:
    """Return the row that a rancher_id names, written 1a7 or 7.

    cattle: RancherIdentityProvider.transform
    """
    return int(external_id) if external_id.isdigit() else parse_id(external_id)
