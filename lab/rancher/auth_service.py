"""The auth service behind `/v1-auth`, where access control by a provider is set.

It is a program of its own beside Rancher, so its errors look otherwise: `status` is a string.
rancher-auth-service: service/route_handlers.go, service/routes.go (v0.4.33). Of its providers there
is GitHub alone here; its schemas are not.
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from lab.rancher.auth_config import (
    BadContentError,
    parse,
    read_config,
    save,
    show,
)
from lab.rancher.auth_github import GitHubProvider, ProviderError
from lab.rancher.auth_settings import GITHUB
from lab.rancher.callers import Caller
from lab.rancher.problems import ApiError
from lab.rancher.rendering import Document
from lab.rancher.schema.shape import ADMIN
from lab.rancher.sessions import Sessions
from lab.rancher.settings import Settings

ADMINS_ONLY: Final = frozenset({"/config", "/configs", "/reload", "/token"})
"""Where a POST needs the role admin; everything else needs no more than to be logged in.

cattle: web.xml (rolesMethods), GenericWhitelistedProxy.authorize
"""
BAD_CONTENT: Final = "Bad Request, Please check the request content"
NO_TOKEN: Final = "Unauthorized, please provide a valid token"
BEARER: Final = "Bearer "

Reply = tuple[int, Document | None]


class Question(Protocol):
    """What the service needs to know of a request."""

    @property
    def method(self) -> str:
        """Return the verb."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers."""
        ...

    @property
    def parameters(self) -> Mapping[str, str]:
        """Return the parameters of the query."""
        ...

    @property
    def text(self) -> str:
        """Return the body."""
        ...


class ProviderRoom(Protocol):
    """Knows the provider that is kept."""

    @property
    def github(self) -> GitHubProvider | None:
        """Return it."""
        ...


def refuse(status: int, message: str) -> Reply:
    """Return an error as the service words it.

    rancher-auth-service: ReturnHTTPError, model/error.go
    """
    return status, {
        "type": "error",
        "links": {},
        "actions": {},
        "status": str(status),
        "message": message,
    }


class AuthService:
    """Answers one call that was passed on to the service."""

    def __init__(self, sessions: Sessions, settings: Settings, room: ProviderRoom) -> None:
        self._sessions = sessions
        self._settings = settings
        self._room = room
        self._routes: Mapping[tuple[str, str], Callable[[str, Question], Reply]] = {
            ("GET", "/config"): self._get_config,
            ("GET", "/configs"): self._get_config,
            ("POST", "/config"): self._update_config,
            ("POST", "/testlogin"): self._test_login,
            ("POST", "/token"): self._make_token,
            ("POST", "/reload"): self._reload,
            ("GET", "/me/identities"): self._own_identities,
            ("GET", "/identities"): self._search_identities,
            ("GET", "/redirectUrl"): self._redirect_url,
        }

    def answer(self, question: Question, path: str, caller: Caller) -> Reply:
        """Answer a call.

        Args:
            question: the call.
            path: what follows `/v1-auth` in it.
            caller: who was let in by Rancher.

        Raises:
            ApiError: 403, in Rancher's own words, to whoever is no admin.

        """
        if question.method == "POST" and path in ADMINS_ONLY and caller.role != ADMIN:
            raise ApiError(403)
        route = self._routes.get((question.method, path))
        if route is None:
            return 404, None
        return route(_authorization(question, caller), question)

    def _get_config(self, header: str, _question: Question) -> Reply:
        if header and not header.startswith(BEARER):
            return refuse(401, NO_TOKEN)
        token = header.removeprefix(BEARER)
        return 200, show(self._sessions, self._settings, self._room.github, token)

    def _update_config(self, _header: str, question: Question) -> Reply:
        """Keep a configuration and answer it.

        rancher-auth-service: UpdateConfig (whatever is wrong, it is a bad request)
        """
        try:
            config = read_config(parse(question.text))
        except BadContentError:
            return refuse(400, BAD_CONTENT)
        if not config.provider:
            return refuse(400, f"{BAD_CONTENT}, Provider is a required field")
        if config.provider != GITHUB:
            return refuse(400, BAD_CONTENT)
        save(self._sessions, self._settings, config)
        return 200, show(self._sessions, self._settings, self._room.github, "")

    @staticmethod
    def _reload(_header: str, _question: Question) -> Reply:
        """Answer that the configuration was read again, which this one does at each call."""
        return 200, None

    @staticmethod
    def _test_login(header: str, question: Question) -> Reply:
        """Check nothing: for GitHub every code is well, and none is used up.

        rancher-auth-service: TestLogin, GProvider.TestLogin
        """
        if header and not header.startswith(BEARER):
            return refuse(401, NO_TOKEN)
        try:
            raw = parse(question.text)
            if not isinstance(raw, dict | None):
                return refuse(400, BAD_CONTENT)
            config = read_config((raw or {}).get("authConfig"))
        except BadContentError:
            return refuse(400, BAD_CONTENT)
        if not config.provider:
            return refuse(400, "Bad request, Provider is a required field")
        if config.provider != GITHUB:
            return refuse(500, f"Could not get the {config.provider} auth provider")
        return 200, None

    def _make_token(self, _header: str, question: Question) -> Reply:
        """Exchange a code, or a token of GitHub, for who it is; Rancher hears nothing of it.

        Whatever is wrong is a 500 with GitHub's words, whether security is on or not.
        rancher-auth-service: CreateToken, RefreshToken, model/token.go (AccessToken has no name
        of its own in JSON), util/token_util.go
        """
        try:
            raw = parse(question.text)
        except BadContentError:
            raw = None
        given = raw if isinstance(raw, dict) else {}
        code, token = str(given.get("code") or ""), str(given.get("accessToken") or "")
        if not (code or token):
            return refuse(400, BAD_CONTENT)
        try:
            provider = self._provider()
            token = provider.exchange(code) if code else token
            found = provider.identities(token)
        except ProviderError as error:
            return refuse(500, str(error))
        return 200, {
            "type": "token",
            "links": {},
            "actions": {},
            "tokenType": "githubjwt",
            "accountID": found[0].external_id,
            "identities": [one.plain_document() for one in found],
            "AccessToken": token,
            "jwt": _signed({"access_token": token}),
            "originalLogin": "",
        }

    def _own_identities(self, header: str, _question: Question) -> Reply:
        if not header.startswith(BEARER):
            return refuse(401, NO_TOKEN)
        try:
            found = self._provider().identities(header.removeprefix(BEARER))
        except ProviderError:
            return refuse(401, "Unauthorized, failed to get identities")
        return 200, _collection([one.plain_document() for one in found])

    def _search_identities(self, header: str, question: Question) -> Reply:
        """Look for identities by number and kind, or by login.

        Who is not found by number is an error of the server, who is not by login an empty answer.
        rancher-auth-service: SearchIdentities
        """
        if not header.startswith(BEARER):
            return refuse(401, NO_TOKEN)
        token, asked = header.removeprefix(BEARER), question.parameters
        external_id, kind, name = (
            asked.get("externalId"),
            asked.get("externalIdType"),
            asked.get("name"),
        )
        try:
            if external_id and kind:
                return 200, self._provider().identity(kind, external_id, token).plain_document()
            if name:
                found = self._provider().search(name, token)
                return 200, _collection([one.plain_document() for one in found])
        except ProviderError:
            return refuse(500, "Internal Server Error")
        return refuse(400, BAD_CONTENT)

    def _redirect_url(self, _header: str, _question: Question) -> Reply:
        try:
            return 200, {"redirectUrl": self._provider().redirect_url, "provider": "github"}
        except ProviderError:
            return refuse(500, "Failed to get the redirect URL")

    def _provider(self) -> GitHubProvider:
        provider = self._room.github
        if provider is None:
            raise ProviderError("No auth provider configured")
        return provider


def _signed(payload: Document) -> str:
    """Return a JWT; its signature is none, as nobody here checks it."""
    parts = (json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, payload))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), ""])


def _collection(data: list[Document]) -> Document:
    return {"type": "collection", **({"data": data} if data else {})}


def _authorization(question: Question, caller: Caller) -> str:
    """Return what the service sees as Authorization: never what was sent to Rancher.

    It is the caller's token at the provider, or what a header of its own says.
    cattle: GenericWhitelistedProxy.generate
    """
    own = question.headers.get("X-API-AUTH-HEADER")
    if own is not None:
        return own
    return BEARER + caller.access_token if caller.access_token else ""
