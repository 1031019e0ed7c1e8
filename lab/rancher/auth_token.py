"""Tokens as the API shows them. Pure."""

from lab.rancher.auth_settings import SECURITY, provider_of
from lab.rancher.rendering import Document, format_id
from lab.rancher.sessions import Session
from lab.rancher.settings import Settings


def token_document(settings: Settings) -> Document:
    """Return a token that is nobody's: how one logs in.

    cattle: Token.java, schema/token/token-auth.json
    """
    fields = "accountId code identities jwt originalLogin redirectUrl user userIdentity userType"
    return {
        "id": None,
        "type": "token",
        "links": {},
        "actions": {},
        **dict.fromkeys(fields.split()),
        "authProvider": provider_of(settings) or None,
        "enabled": settings.is_on(SECURITY),
        "security": settings.is_on(SECURITY),
    }


def session_document(settings: Settings, session: Session) -> Document:
    """Return a token with whose it is, and all they are at the provider's."""
    return token_document(settings) | {
        "accountId": format_id("account", session.account_id),
        "identities": [one.document() for one in session.identities],
        "jwt": session.key,
        "user": session.user.login,
        "userIdentity": session.user.document(),
        "userType": session.user_type,
    }
