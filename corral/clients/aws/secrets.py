"""Secrets Manager: small JSON objects by name."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from corral.clients.aws.calls import CONFIG, code_of, translated
from corral.errors import PrerequisiteError

_MISSING = "ResourceNotFoundException"
_WRONG_STATE = "InvalidRequestException"


class SecretVault:
    """Reads and writes secrets of one cluster; values never appear in an error or a log."""

    def __init__(self, session: boto3.Session, tags: Mapping[str, str]) -> None:
        """Prepare; nothing is asked yet.

        Args:
            session: Region and credentials.
            tags: Given to secrets that are made.

        """
        with translated("secretsmanager"):
            self._client = session.client("secretsmanager", config=CONFIG)
        self._tags = tags

    def read(self, name: str) -> dict[str, str] | None:
        """Return a secret; None if there is none, if it never got a value, or is to be deleted.

        Raises:
            PrerequisiteError: It is no JSON object.

        """
        answer = self._look_up(name)
        if answer is None:
            return None
        try:
            held = json.loads(answer["SecretString"])
            return {key: str(value) for key, value in held.items()}
        except (KeyError, ValueError, AttributeError):
            raise PrerequisiteError(f"The secret {name} holds no JSON object.") from None

    def version(self, name: str) -> str:
        """Return the id of a secret's version, which tells nothing of it; "" if there is none."""
        answer = self._look_up(name)
        return str(answer["VersionId"]) if answer else ""

    def made(self, name: str) -> datetime | None:
        """Return when a secret's version was made, None if there is none."""
        answer = self._look_up(name)
        return answer["CreatedDate"] if answer else None

    def write(self, name: str, value: Mapping[str, str]) -> None:
        """Store a secret, new or changed; what is equal is left alone, what is leaving restored."""
        if self.read(name) == dict(value):
            return
        text = json.dumps(dict(value))
        with translated("secretsmanager"):
            if self._is_leaving(name):
                self._client.restore_secret(SecretId=name)
            try:
                self._client.put_secret_value(SecretId=name, SecretString=text)
            except ClientError as error:
                if code_of(error) != _MISSING:
                    raise
                self._client.create_secret(
                    Name=name,
                    SecretString=text,
                    Tags=[{"Key": key, "Value": tag} for key, tag in self._tags.items()],
                )

    def _look_up(self, name: str) -> Mapping[str, Any] | None:
        with translated("secretsmanager"):
            try:
                return self._client.get_secret_value(SecretId=name)
            except ClientError as error:
                if code_of(error) == _MISSING:
                    return None
                if code_of(error) == _WRONG_STATE and self._is_leaving(name):
                    return None
                raise

    def _is_leaving(self, name: str) -> bool:
        """Say whether a secret is scheduled for deletion: it can be restored, but not used."""
        try:
            return "DeletedDate" in self._client.describe_secret(SecretId=name)
        except ClientError as error:
            if code_of(error) == _MISSING:
                return False
            raise
