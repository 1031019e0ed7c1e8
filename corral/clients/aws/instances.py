"""What EC2 knows of instances: all of them, or those that are asked for by id."""

from collections.abc import Collection

import boto3

from corral.clients.aws.calls import CONFIG
from corral.domain.herd import Instance


class Ec2:
    """The instances of one account in one region."""

    def __init__(self, session: boto3.Session) -> None:
        """Remember whom to ask; nothing is sent yet."""
        self._client = session.client("ec2", config=CONFIG)

    def list(self) -> list[Instance]:
        """Return every instance, the terminated ones too as long as EC2 shows them.

        Raises:
            AwsError: Some page could not be read, so that nothing is worth anything.
        """
        raise NotImplementedError

    def find(self, ids: Collection[str]) -> dict[str, Instance]:
        """Return those of these instances that EC2 knows, by id."""
        raise NotImplementedError
