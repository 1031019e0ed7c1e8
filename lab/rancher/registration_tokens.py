"""The text of registration tokens: made from a credential's keys, and read again. Pure."""

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from lab.rancher.engine import is_active
from lab.rancher.rows import Account, Credential
from lab.rancher.store import Store

KIND = "registrationToken"
PARTS: Final = 3


def token_text(credential: Credential, now: datetime) -> str | None:
    """Return the token of a credential, or None before it has its keys.

    It is the access key, the day before this year's first, and a digest of both: the text changes
    each year while old ones stay valid.
    cattle: RegistrationToken.java
    """
    if credential.public_value is None or credential.secret_value is None:
        return None
    start = datetime(now.year, 1, 1, tzinfo=UTC) - timedelta(days=1)
    return _signed(credential.public_value, credential.secret_value, int(start.timestamp() * 1000))


def _signed(public_value: str, secret_value: str, millis: int) -> str:
    prefix = f"{public_value}:{millis}"
    digest = hmac.new(secret_value.encode(), prefix.encode(), hashlib.sha1).digest()
    return f"{prefix}:{re.sub('[/=+]', '', base64.b64encode(digest).decode())}"


def account_of_token(store: Store, text: str) -> Account | None:
    """Return the environment that a token lets machines into.

    cattle: RegistrationAuthTokenManagerImpl.java
    """
    parts = text.split(":")
    if len(parts) != PARTS or not parts[1].isdigit():
        return None
    for credential in store.credentials.where("public_value", parts[0]):
        secret = credential.secret_value
        if credential.kind != KIND or secret is None or not is_active(credential):
            continue
        if hmac.compare_digest(_signed(parts[0], secret, int(parts[1])), text):
            return store.accounts.get(credential.account_id)
    return None
