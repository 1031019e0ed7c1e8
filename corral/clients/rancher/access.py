"""What Rancher is asked of access control, and has done about it: one method a call.

Access control by GitHub is a service of its own behind `/v1-auth`, with other manners than the
API: whatever GitHub has against a code is a 500 with GitHub's words in it. Of an administrator it
takes a code without logging anybody in, also while nobody is let in.

Source: cattle, web.xml (AdminAuthService), GenericWhitelistedProxy.java; rancher-auth-service,
service/route_handlers.go.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from pydantic import Field, field_validator

from corral.clients.rancher.answers import AccountAnswer, Answer
from corral.clients.rancher.paths import API
from corral.clients.rancher.transport import Transport
from corral.domain.set_up.access import Application
from corral.domain.set_up.identities import USER, KnownIdentity
from corral.domain.set_up.steps import GONE_STATES
from corral.errors import CodeRefusedError, PrerequisiteError, RancherUnreachableError

AUTH: Final = "/v1-auth"
ADMIN: Final = "admin"
PROVIDER: Final = "githubconfig"
SCHEME: Final = "https://"
# GitHub's words for its own refusals.
# Source: docs.github.com, "Troubleshooting OAuth app access token request errors".
BAD_CODE: Final = "bad_verification_code"
BAD_APPLICATION: Final = "incorrect_client_credentials"
# The service has not read the configuration yet, and has shown the code to nobody.
NOT_READY: Final = "No auth provider configured"


class NotReadyError(RancherUnreachableError):
    """This server has not heard of the OAuth application yet; the code is not used up."""


class IdentityAnswer(Answer):
    """Somebody at GitHub; what is empty is left out."""

    external_id: str = ""
    external_id_type: str = ""
    login: str = ""
    profile_url: str = ""

    def plain(self) -> KnownIdentity:
        """Return the identity without Rancher's spelling."""
        return KnownIdentity(
            self.external_id_type, self.external_id, login=self.login, page=self.profile_url
        )


class IdentitiesAnswer(Answer):
    """Several identities, or none."""

    data: list[IdentityAnswer] | None = None

    def plain(self) -> list[KnownIdentity]:
        """Return the identities without Rancher's spelling."""
        return [identity.plain() for identity in self.data or []]


class GithubAnswer(Answer):
    """The OAuth application as far as Rancher shows it."""

    hostname: str = ""
    client_id: str = ""


class ConfigAnswer(Answer):
    """Access control by GitHub."""

    enabled: bool = False
    provider: str = ""
    access_mode: str = ""
    allowed_identities: list[IdentityAnswer] | None = None
    github_config: GithubAnswer = GithubAnswer()

    @property
    def allowed(self) -> frozenset[str]:
        """Who is let in, by Rancher's ids."""
        return frozenset(one.plain().id for one in self.allowed_identities or [])


class TokenAnswer(Answer):
    """What GitHub gave for a code. Go writes a field without a name of its own as it is called."""

    access_token: str = Field(alias="AccessToken", min_length=1, repr=False)
    identities: list[IdentityAnswer] = Field(default_factory=list)

    @field_validator("identities", mode="before")
    @classmethod
    def fill(cls, value: object) -> object:
        """Take nothing for an empty list, as Go writes it."""
        return value or []


class PersonAnswer(AccountAnswer):
    """An account, and who it is at the provider's."""

    external_id: str | None = None
    external_id_type: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever gave a code: who they are, and what GitHub is asked with in their name."""

    access_token: str = field(repr=False)
    identities: tuple[KnownIdentity, ...]

    @property
    def user(self) -> KnownIdentity | None:
        """The person among organizations and teams."""
        return next((known for known in self.identities if known.kind == USER), None)


class AccessCalls:
    """The calls about access control; who has them brings the transport."""

    _transport: Transport

    def github_access(self) -> ConfigAnswer:
        """Return how access control by GitHub is set; the OAuth secret is never shown."""
        return self._transport.read(ConfigAnswer, f"{AUTH}/config")

    def save_github_access(
        self, application: Application, mode: str, allowed: Collection[str]
    ) -> None:
        """Have access control by GitHub on, for these; an empty list leaves the earlier one.

        Nothing of it is checked with GitHub. Security is switched on last.

        Source: rancher-auth-service, UpdateConfig, updateCommonSettings.
        """
        body = {
            "type": "config",
            "provider": PROVIDER,
            "enabled": True,
            "accessMode": mode,
            "allowedIdentities": [_reference(identity) for identity in sorted(allowed)],
            "githubConfig": _application(application),
        }
        self._transport.write(Answer, "POST", f"{AUTH}/config", body)

    def spend_code(self, code: str) -> Person:
        """Exchange a code for who gave it; nobody is logged in by that, and no account made.

        Raises:
            CodeRefusedError: GitHub does not take the code.
            PrerequisiteError: GitHub does not know the OAuth application.
            NotReadyError: The code was shown to nobody.

        Source: rancher-auth-service, CreateToken; GClient.getAccessToken.
        """
        try:
            answer = self._transport.write(TokenAnswer, "POST", f"{AUTH}/token", {"code": code})
        except RancherUnreachableError as error:
            raise _reaction(error) from None
        return Person(answer.access_token, tuple(one.plain() for one in answer.identities))

    def identities_of(self, access_token: str) -> list[KnownIdentity]:
        """Return whom a token of GitHub belongs to; nobody if GitHub takes it no longer.

        Nobody as well while GitHub does not answer: Rancher tells neither from the other.

        Source: rancher-auth-service, GProvider.GetIdentities (what is not answered is left out).
        """
        return self._asked(f"{AUTH}/me/identities", access_token)

    def find_identities(self, name: str, access_token: str) -> list[KnownIdentity]:
        """Return the organization or the user of a name; teams are not found by theirs.

        Source: rancher-auth-service, GProvider.SearchIdentities.
        """
        return self._asked(f"{AUTH}/identities?name={quote(name, safe='')}", access_token)

    def github_administrators(self) -> Sequence[str]:
        """Return GitHub's numbers of the administrators who log in with it."""
        accounts = self._transport.read_all(PersonAnswer, f"{API}/accounts", {"kind": ADMIN})
        return [
            account.external_id
            for account in accounts
            if account.kind == ADMIN
            and account.external_id_type == USER
            and account.external_id
            and account.state not in GONE_STATES
        ]

    def create_github_administrator(self, external_id: str, name: str) -> None:
        """Make the account that somebody gets who logs in with GitHub, as an administrator's.

        Source: cattle, admin-auth.json (account.externalId), AbstractTokenUtil.getOrCreateAccount.
        """
        body = {"kind": ADMIN, "name": name, "externalId": external_id, "externalIdType": USER}
        self._transport.write(Answer, "POST", f"{API}/accounts", body)

    def _asked(self, path: str, access_token: str) -> list[KnownIdentity]:
        """Ask GitHub something through Rancher, in a person's name.

        Source: cattle, GenericWhitelistedProxy.java (X-API-AUTH-HEADER).
        """
        headers = {"X-API-AUTH-HEADER": f"Bearer {access_token}"}
        return self._transport.read(IdentitiesAnswer, path, headers=headers).plain()


def _application(application: Application) -> dict[str, Any]:
    return {
        "hostname": application.hostname or "",
        "scheme": SCHEME,
        "clientId": application.client_id,
        "clientSecret": application.client_secret,
    }


def _reference(identity: str) -> dict[str, str]:
    kind, _, external_id = identity.partition(":")
    return {"externalIdType": kind, "externalId": external_id}


def _reaction(error: RancherUnreachableError) -> Exception:
    """Return what a refused code means for whoever asked."""
    words = str(error)
    if BAD_CODE in words:
        return CodeRefusedError(
            "GitHub does not take this code: it is wrong, was used before, or is older than ten"
            " minutes."
        )
    if BAD_APPLICATION in words:
        return PrerequisiteError("GitHub knows no OAuth application with this id and secret")
    if NOT_READY in words:
        return NotReadyError(words, status=error.status, code=error.code)
    return error
