"""GitHub as a provider of identities.

rancher-auth-service: providers/github/github_provider.go, github_client.go (v0.4.33)
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from lab.github import GitHub, Reply, UnreachableError
from lab.rancher.auth_identity import GITHUB_ORG, GITHUB_TEAM, GITHUB_USER, Identity

ACCEPTED: Final = (200, 201)
ENTERPRISE_API: Final = "/api/v3"


class ProviderError(Exception):
    """GitHub did not answer as hoped. The message is what the service passes on."""


@dataclass(frozen=True, slots=True)
class GitHubConfig:
    """Where GitHub is and who asks there. Scheme and host are put together as they are."""

    hostname: str = ""
    scheme: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)

    @property
    def web(self) -> str:
        """Return where people log in: `https://` has to be written whole in the scheme."""
        return self.scheme + self.hostname if self.hostname else "https://github.com"

    @property
    def api(self) -> str:
        """Return where the REST API is."""
        if self.hostname:
            return self.scheme + self.hostname + ENTERPRISE_API
        return "https://api.github.com"


class GitHubProvider:
    """Asks GitHub who somebody is."""

    def __init__(self, github: GitHub, config: GitHubConfig) -> None:
        self._github = github
        self._config = config

    @property
    def redirect_url(self) -> str:
        """Return where a person lets Rancher look at their account.

        rancher-auth-service: GetRedirectURL, URLEncoded
        """
        client_id = self._config.client_id
        return f"{self._config.web}/login/oauth/authorize?client_id={client_id}&scope=read%3Aorg"

    def exchange(self, code: str) -> str:
        """Return the access token for a code.

        rancher-auth-service: getAccessToken

        Raises:
            ProviderError: GitHub does not give one.

        """
        form = {
            "client_id": self._config.client_id,
            "client_secret": self._config.client_secret,
            "code": code,
        }
        url = f"{self._config.web}/login/oauth/access_token"
        answer = self._ask("POST", url, form=form).document
        if not isinstance(answer, dict):
            raise ProviderError("json: cannot unmarshal into Go value of type map")
        if answer.get("error") is not None:
            raise ProviderError(
                f"Received Error from github {answer['error']}, "
                f"description from github {answer.get('error_description')}"
            )
        token = answer.get("access_token")
        if not isinstance(token, str):
            raise ProviderError(f"Received Error reading accessToken from response {answer}")
        return token

    def identities(self, token: str) -> list[Identity]:
        """Return who a token belongs to: the user first, then organisations, then teams.

        What GitHub does not answer is left out without a word.
        rancher-auth-service: GetIdentities, createToken

        Raises:
            ProviderError: not even the user is known.

        """
        found = [
            *self._gather(GITHUB_USER, f"{self._config.api}/user", token),
            *self._gather(GITHUB_ORG, f"{self._config.api}/user/orgs?per_page=1", token),
            *self._gather(GITHUB_TEAM, f"{self._config.api}/user/teams?per_page=100", token),
        ]
        if not found or found[0].kind != GITHUB_USER:
            raise ProviderError("User identity not found using accessToken from github")
        return found

    def identity(self, kind: str, external_id: str, token: str) -> Identity:
        """Return one identity by its number.

        rancher-auth-service: GetIdentity

        Raises:
            ProviderError: GitHub has none, or nothing has that kind.

        """
        paths = {GITHUB_USER: "user", GITHUB_ORG: "user", GITHUB_TEAM: "teams"}
        if kind not in paths:
            raise ProviderError(
                f"Cannot get the github account due to invalid externalIDType {kind}"
            )
        url = f"{self._config.api}/{paths[kind]}/{external_id}"
        return self._read(kind, self._ask("GET", url, token).document)

    def search(self, name: str, token: str) -> list[Identity]:
        """Return who has a login, an organisation or else a user. Teams are not searched.

        rancher-auth-service: SearchIdentities, getGithubUserByName
        """
        organisations = list(self._gather(GITHUB_ORG, f"{self._config.api}/orgs/{name}", token))
        if organisations:
            return organisations
        return list(self._gather(GITHUB_USER, f"{self._config.api}/users/{name}", token))

    def _gather(self, kind: str, url: str | None, token: str) -> Iterator[Identity]:
        """Yield what is at an address and on its next pages, as far as they are answered."""
        while url is not None:
            try:
                reply = self._ask("GET", url, token)
                found = reply.document if isinstance(reply.document, list) else [reply.document]
                yield from [self._read(kind, one) for one in found]
            except ProviderError:
                return
            url = reply.next_page

    def _ask(
        self, method: str, url: str, token: str = "", form: dict[str, str] | None = None
    ) -> Reply:
        try:
            reply = self._github.visit(method, url, token, form)
        except UnreachableError as error:
            raise ProviderError(f'{method.capitalize()} "{url}": {error}') from error
        if reply.status not in ACCEPTED:
            raise ProviderError(
                f"Request failed, got status code: {reply.status}. "
                f"Response: {json.dumps(reply.document)}"
            )
        return reply

    def _read(self, kind: str, found: object) -> Identity:
        """Return an account or a team as an identity.

        rancher-auth-service: github_account.go (a team's login is its slug)
        """
        if not isinstance(found, dict) or "id" not in found:
            raise ProviderError(f"json: cannot unmarshal {type(found).__name__} into Go value")
        account: dict[str, Any] = found
        if kind == GITHUB_TEAM:
            account = self._team_as_account(found)
        return Identity(
            kind=kind,
            external_id=str(account["id"]),
            name=account.get("name") or account.get("login") or "",
            login=account.get("login") or "",
            picture=account.get("avatar_url") or "",
            page=account.get("html_url") or "",
            user=kind == GITHUB_USER,
        )

    def _team_as_account(self, team: dict[str, Any]) -> dict[str, Any]:
        organisation = team["organization"]
        return {
            "id": team["id"],
            "name": team["name"],
            "login": team["slug"],
            "avatar_url": organisation["avatar_url"],
            "html_url": f"{self._config.web}/orgs/{organisation['login']}/teams/{team['slug']}",
        }
