"""Who is logged in, with a name and password or by way of a provider."""

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lab.rancher.auth_identity import Identity

COOKIE: Final = "token"


@dataclass(frozen=True, slots=True)
class Session:
    """What a token stands for.

    cattle: AuthTokenDaoImpl.createToken (the token itself is a key to this)
    """

    key: str = field(repr=False)
    provider: str
    account_id: int
    user: "Identity"
    identities: "tuple[Identity, ...]"
    user_type: str
    until: float
    refreshed: bool = False
    """It was made for an API key's owner and not for somebody who logged in."""


class Sessions:
    """Tokens that were given out, and what else access control keeps in the database."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self.access_tokens: dict[int, str] = {}
        """The provider's tokens, by account. cattle: the field access_token of an account."""
        self.logged_in: set[int] = set()
        """Accounts that were logged in to once. cattle: SecurityConstants.HAS_LOGGED_IN"""
        self.provider: dict[str, str] | None = None
        """How GitHub is asked. rancher-auth-service: the generic object `auth.config`"""

    def open(
        self,
        *,
        provider: str,
        account_id: int,
        user: "Identity",
        identities: "Iterable[Identity]",
        user_type: str,
        seconds: float,
        refreshed: bool = False,
    ) -> Session:
        """Give out a token for an account."""
        session = Session(
            key=secrets.token_hex(20),
            provider=provider,
            account_id=account_id,
            user=user,
            identities=tuple(identities),
            user_type=user_type,
            until=time.time() + seconds,
            refreshed=refreshed,
        )
        self._sessions[session.key] = session
        return session

    def find(self, key: str) -> Session | None:
        """Return what a token stands for, while it holds."""
        session = self._sessions.get(key)
        return session if session is not None and session.until > time.time() else None

    def refreshed(self, account_id: int, provider: str) -> Session | None:
        """Return the session that was made for the owner of an API key, while it holds."""
        now = time.time()
        found = (
            one
            for one in self._sessions.values()
            if one.refreshed
            and (one.account_id, one.provider) == (account_id, provider)
            and one.until > now
        )
        return next(found, None)

    def close(self, key: str) -> None:
        """Let a token hold no longer."""
        self._sessions.pop(key, None)

    def expire(self) -> None:
        """Let all tokens end, as their life of sixteen hours does."""
        self._sessions.clear()


def token_of_header(headers: Mapping[str, str]) -> str:
    """Return the token of the header Authorization, or nothing."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def token_of_cookie(headers: Mapping[str, str]) -> str:
    """Return the token of the cookie that browsers keep it in, or nothing."""
    try:
        found = SimpleCookie(headers.get("Cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
