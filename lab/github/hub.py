"""The stand-in itself: answers what GitHub is asked, by whatever way the question came."""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from lab.faults import RESET_STATUS, Faults
from lab.github.directory import (
    CLIENT_ID,
    CLIENT_SECRET,
    ORGANISATIONS,
    USERS,
    Document,
    User,
    describe_account,
    describe_team,
    find_account,
    find_team,
    list_organisation,
    teams_of,
)
from lab.journal import Journal

ENTERPRISE_HOST: Final = "github.corral.test"
"""The one GitHub Enterprise there is; what it answers is the same."""
ENTERPRISE_API: Final = "/api/v3"
HOSTS: Final = ("github.com", "api.github.com", ENTERPRISE_HOST)

CODE_LIFE_S: Final = 600
"""Seconds that a code holds: real ones, as it is a person who passes it on.

Source: docs.github.com, Authorizing OAuth apps (the code expires after 10 minutes)
"""
HELP: Final = "/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/"
PAGE: Final = 30
OK, NOT_FOUND, UNAUTHORIZED = 200, 404, 401

Page = list[Document]


class UnreachableError(Exception):
    """Nobody answers at that address."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as JSON, and where the next page of it is."""

    status: int
    document: object
    next_page: str | None = None


@dataclass(frozen=True, slots=True)
class _Code:
    user: User
    until: float


@dataclass(slots=True)
class GitHub:
    """One OAuth application, the codes and tokens given out for it, and the REST API for these."""

    journal: Journal
    faults: Faults
    _codes: dict[str, _Code] = field(default_factory=dict, repr=False)
    _tokens: dict[str, User] = field(default_factory=dict, repr=False)

    def authorize(self, login: str, *, expired: bool = False) -> str:
        """Press "Authorize" for a user, as a person does in the browser; return the code.

        Raises:
            LookupError: there is no such user.

        """
        user = USERS.get(login)
        if user is None:
            raise LookupError(f"GitHub has no user {login!r}; there are {', '.join(USERS)}")
        code = secrets.token_hex(10)
        self._codes[code] = _Code(user, time.time() + (0 if expired else CODE_LIFE_S))
        return code

    def revoke(self, login: str) -> None:
        """Take back what a user allowed the application: its tokens hold no longer."""
        self._tokens = {key: user for key, user in self._tokens.items() if user.login != login}

    def visit(
        self, method: str, url: str, token: str = "", form: Mapping[str, str] | None = None
    ) -> Reply:
        """Answer a request to a whole address without a network in between.

        Of a fault only status, body and reset show here; delays need the stand-in's own port.

        Raises:
            UnreachableError: no GitHub is there.

        """
        parts = urlsplit(url)
        if parts.scheme != "https":
            raise UnreachableError(f'unsupported protocol scheme "{parts.scheme}"')
        if parts.hostname not in HOSTS:
            raise UnreachableError(f"dial tcp: lookup {parts.hostname}: no such host")
        operation = operation_of(method, parts.path)
        effect = self.faults.take("github", operation, {"method": method, "path": parts.path})
        if effect is not None and effect.reset:
            self.journal.record("github", operation, RESET_STATUS)
            raise UnreachableError("read: connection reset by peer")
        if effect is not None and effect.answers:
            reply = Reply(effect.status or OK, effect.body)
        else:
            reply = self.answer(method, parts.path, dict(parse_qsl(parts.query)), token, form or {})
        self.journal.record("github", operation, reply.status)
        return reply

    def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        token: str,
        form: Mapping[str, str],
    ) -> Reply:
        """Answer a request by its path; that of Enterprise's API counts like the plain one."""
        path = path.removeprefix(ENTERPRISE_API)
        if (method, path) == ("POST", "/login/oauth/access_token"):
            return self._exchange(form)
        user = self._tokens.get(token)
        if user is None:
            return _refusal(UNAUTHORIZED, "Bad credentials")
        found = _find(user, path) if method == "GET" else None
        if found is None:
            return _refusal(NOT_FOUND, "Not Found")
        return _paged(path, found, query) if isinstance(found, list) else Reply(OK, found)

    def _exchange(self, form: Mapping[str, str]) -> Reply:
        """Give a token for a code, once; errors have status 200.

        Source: docs.github.com, Troubleshooting OAuth app access token request errors
        """
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            message = "The client_id and/or client_secret passed are incorrect."
            return _oauth_error("incorrect_client_credentials", message)
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.until <= time.time():
            message = "The code passed is incorrect or expired."
            return _oauth_error("bad_verification_code", message)
        token = f"gho_{secrets.token_hex(18)}"
        self._tokens[token] = code.user
        document = {"access_token": token, "token_type": "bearer", "scope": "read:org"}
        return Reply(OK, document)


def operation_of(method: str, path: str) -> str:
    """Return a request as the journal names it: `GET /user/{id}`."""
    path = path.removeprefix(ENTERPRISE_API)
    template = re.sub(r"^/(users|orgs|teams)/[^/]+", r"/\1/{id}", path)
    return f"{method} {re.sub(r'^/user/[0-9]+$', '/user/{id}', template)}"


def _oauth_error(error: str, description: str) -> Reply:
    uri = HELP + "#" + error.replace("_", "-")
    document = {"error": error, "error_description": description, "error_uri": uri}
    return Reply(OK, document)


def _refusal(status: int, message: str) -> Reply:
    document = {"message": message, "documentation_url": "https://docs.github.com/rest"}
    return Reply(status, document)


def _user_by_id(text: str) -> Document | None:
    """Source: `GET /user/{id}` is not in GitHub's reference, and answers organisations as well."""
    account = find_account(int(text)) if text.isdigit() else None
    return describe_account(account) if account else None


def _user_by_login(login: str) -> Document | None:
    """Source: docs.github.com, "Get a user": an organisation's login is answered as well."""
    account = USERS.get(login) or ORGANISATIONS.get(login)
    return describe_account(account) if account else None


def _organisation(login: str) -> Document | None:
    organisation = ORGANISATIONS.get(login)
    return describe_account(organisation) if organisation else None


def _team(text: str) -> Document | None:
    found = find_team(int(text)) if text.isdigit() else None
    return describe_team(*found) if found else None


_LOOK_UPS: Final[Mapping[str, Callable[[str], Document | None]]] = {
    "user": _user_by_id,
    "users": _user_by_login,
    "orgs": _organisation,
    "teams": _team,
}


def _find(user: User, path: str) -> Document | Page | None:
    if path == "/user":
        return describe_account(user)
    if path == "/user/orgs":
        return [list_organisation(ORGANISATIONS[login]) for login in sorted(user.organisations)]
    if path == "/user/teams":
        return [describe_team(*team) for team in teams_of(user)]
    _, _, rest = path.partition("/")
    collection, _, name = rest.partition("/")
    look_up = _LOOK_UPS.get(collection)
    return look_up(name) if look_up is not None and name else None


def _paged(path: str, entries: Page, query: Mapping[str, str]) -> Reply:
    """Answer one page; whoever wants more follows the link in the header.

    Source: docs.github.com, Using pagination in the REST API
    """
    size, number = int(query.get("per_page", PAGE)), int(query.get("page", 1))
    following = urlencode({"per_page": size, "page": number + 1})
    more = len(entries) > size * number
    next_page = f"https://api.github.com{path}?{following}" if more else None
    return Reply(OK, entries[size * (number - 1) : size * number], next_page)
