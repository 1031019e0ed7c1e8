"""Reads a secret of Secrets Manager through the machine's role; it stays in memory."""

import json

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from corral_node.errors import NotYetError

CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard"})


def read_secret(
    region: str, secret_id: str, keys: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, str]:
    """Return the texts that a secret holds under the given keys.

    Args:
        region: Where it is kept.
        secret_id: Name or ARN.
        keys: What it has to hold.
        optional: What else is wanted; an empty text if it is not there.

    Raises:
        NotYetError: It is not there, may not be read (so far), or lacks a key.
    """
    try:
        text = _fetch(region, secret_id)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "an error")
        raise NotYetError(f"Secrets Manager answered {code} for {secret_id}") from error
    except NoCredentialsError as error:
        raise NotYetError(
            f"this machine's role gives no credentials to read {secret_id} with"
        ) from error
    except BotoCoreError as error:
        raise NotYetError(
            f"Secrets Manager could not be asked for {secret_id}: {type(error).__name__}"
        ) from error
    held = _parse(text, secret_id)
    lacking = [key for key in keys if not held.get(key)]
    if lacking:
        raise NotYetError(f"secret {secret_id} lacks {', '.join(lacking)}")
    return {key: held.get(key, "") for key in (*keys, *optional)}


def _fetch(region: str, secret_id: str) -> str:
    # A new session for each look: the role may get attached, or its keys change, in between.
    client = boto3.session.Session(region_name=region).client("secretsmanager", config=CONFIG)
    try:
        return client.get_secret_value(SecretId=secret_id)["SecretString"]
    finally:
        client.close()


def _parse(text: str, secret_id: str) -> dict[str, str]:
    """Return the texts in a secret, by their keys."""
    try:
        held = json.loads(text)
    except ValueError:  # no "from": the error carries the secret's text
        held = None
    if not isinstance(held, dict):
        raise NotYetError(f"secret {secret_id} does not hold a JSON object")
    return {key: value for key, value in held.items() if isinstance(value, str)}
