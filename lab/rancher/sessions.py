"""Who is logged in with name and password."""

import secrets
import time


class Sessions:
    """Tokens that were given out, and until when they hold."""

    def __init__(self) -> None:
        self._sessions: dict[str, tuple[int, float]] = {}

    def open(self, account_id: int, seconds: float) -> str:
        """Give out a token for an account."""
        token = ".".join(secrets.token_urlsafe(size) for size in (24, 48, 32))
        self._sessions[token] = (account_id, time.time() + seconds)
        return token

    def account_id(self, token: str) -> int | None:
        """Return whose token it is, while it holds."""
        account_id, until = self._sessions.get(token, (None, 0.0))
        return account_id if until > time.time() else None
