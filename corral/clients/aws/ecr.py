"""ECR: the log-in with which hosts pull from a registry, for the next twelve hours."""

import base64
from typing import Final

import boto3
from pydantic import SecretStr

from corral.clients.aws.calls import CONFIG, translated
from corral.domain.set_up.registries import Login, end_mark
from corral.domain.set_up.stack_requests import region_of
from corral.errors import AwsError

_OPERATION: Final = "GetAuthorizationToken"


def registry_login(session: boto3.Session, address: str) -> Login:
    """Return a fresh log-in of a registry, as <account>.dkr.ecr.<region>.amazonaws.com.

    It is good for every registry of that region that the session's own account may pull from. What
    it may pull, the registry's own policy says.

    Raises:
        AccessDeniedError: The role may not do ecr:GetAuthorizationToken.
        AwsError: AWS gave none.

    Source: ECR API reference, GetAuthorizationToken.
    """
    with translated("ecr"):
        client = session.client("ecr", region_name=region_of(address), config=CONFIG)
        found = client.get_authorization_token().get("authorizationData", [])
    if not found:
        raise AwsError(_OPERATION, "NoAuthorizationData", f"no log-in for {address}")
    user, password = _unpacked(found[0]["authorizationToken"], address)
    return Login(user, SecretStr(password), end_mark(found[0]["expiresAt"]))


def _unpacked(token: str, address: str) -> tuple[str, str]:
    """Return user and password of a token, which is both in base64."""
    try:
        user, colon, password = base64.b64decode(token, validate=True).decode().partition(":")
    except ValueError:
        user = colon = password = ""
    if not (user and colon and password):
        raise AwsError(_OPERATION, "InvalidToken", f"no user and password for {address}")
    return user, password
