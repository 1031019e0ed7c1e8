"""What lies beside the states in their bucket: locks, and records of who works on each."""

import boto3
from botocore.exceptions import ClientError

from corral.clients.aws.calls import CONFIG, code_of, translated

_MISSING = {"404", "NoSuchKey", "NoSuchBucket"}
_OTHER = {"412", "PreconditionFailed"}


class StateShelf:
    """The objects of one state bucket, which keeps versions."""

    def __init__(self, session: boto3.Session, bucket: str, account_id: str) -> None:
        self._client = session.client("s3", config=CONFIG)
        self._bucket = bucket
        self._account_id = account_id

    def read(self, key: str) -> tuple[str, str] | None:
        """Return an object's text and what tells it from another one; None if there is none."""
        with translated("s3"):
            try:
                found = self._client.get_object(
                    Bucket=self._bucket, Key=key, ExpectedBucketOwner=self._account_id
                )
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return None
                raise
            return found["Body"].read().decode(errors="replace"), found["ETag"]

    def write(self, key: str, text: str) -> None:
        """Put an object there."""
        with translated("s3"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=text.encode(),
                ContentType="application/json",
                ExpectedBucketOwner=self._account_id,
            )

    def remove(self, key: str, tag: str) -> None:
        """Remove the object that was read with this tag; one that somebody wrote since stays.

        Source: Amazon S3 user guide, conditional deletes.
        """
        with translated("s3"):
            try:
                self._client.delete_object(
                    Bucket=self._bucket,
                    Key=key,
                    IfMatch=tag,
                    ExpectedBucketOwner=self._account_id,
                )
            except ClientError as error:
                if code_of(error) not in _MISSING | _OTHER:
                    raise
