"""Secrets Manager: small JSON objects by name."""

import json
from collections.abc import Mapping

import boto3
from botocore.exceptions import ClientError

from corral.clients.aws.calls import CONFIG, code_of, translated
from corral.errors import PrerequisiteError


class SecretVault:
    """Reads and writes secrets of one cluster; values never appear in an error or a log."""

    def __init__(self, session: boto3.Session, tags: Mapping[str, str]) -> None:
        """Prepare; nothing is asked yet.

        Args:
            session: Region and credentials.
            tags: Given to secrets that are made.

        """
        self._client = session.client("secretsmanager", config=CONFIG)
        self._tags = tags

    def read(self, name: str) -> dict[str, str] | None:
        """Return a secret; None if there is none, or if it never got a value.

        Raises:
            PrerequisiteError: It is no JSON object.

        """
        with translated("secretsmanager"):
            try:
                text = self._client.get_secret_value(SecretId=name)["SecretString"]
            except ClientError as error:
                if code_of(error) == "ResourceNotFoundException":
                    return None
                raise
        try:
            return {key: str(value) for key, value in json.loads(text).items()}
        except (ValueError, AttributeError):
            raise PrerequisiteError(f"The secret {name} holds no JSON object.") from None

    def write(self, name: str, value: Mapping[str, str]) -> None:
        """Store a secret, new or changed; what is equal already is left alone."""
        if self.read(name) == dict(value):
            return
        text = json.dumps(dict(value))
        with translated("secretsmanager"):
            try:
                self._client.put_secret_value(SecretId=name, SecretString=text)
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise
                self._client.create_secret(
                    Name=name,
                    SecretString=text,
                    Tags=[{"Key": key, "Value": tag} for key, tag in self._tags.items()],
                )
