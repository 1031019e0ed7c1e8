"""The bucket of the states: made if it is missing, healed if its settings differ from ours."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from corral.clients.aws.calls import CONFIG, code_of, translated
from corral.errors import PrerequisiteError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_ENCRYPTION: Any = {
    "Rules": [
        {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": True,
        }
    ]
}
_BLOCKED: Any = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
_HOME_REGION = "us-east-1"
"""The one region that S3 does not want to be told when a bucket is made."""

_UNSET = {
    "NoSuchBucketPolicy",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "ServerSideEncryptionConfigurationNotFoundError",
}


def ensure_state_bucket(
    session: boto3.Session, name: str, account_id: str, tags: Mapping[str, str]
) -> list[str]:
    """See to it that the bucket is there, versioned, encrypted, private, TLS-only and tagged.

    Args:
        session: Region and credentials.
        name: Of the bucket.
        account_id: Whose it must be; each call says so, so that S3 refuses another's bucket.
        tags: Added to those that are there.

    Returns:
        What had to be changed, `created` first; empty if all was well.

    Raises:
        PrerequisiteError: A bucket of this name is in another account, or in another region.

    """
    with translated("s3"):
        return list(_StateBucket(session, name, account_id, tags).heal())


class _StateBucket:
    def __init__(
        self, session: boto3.Session, name: str, account_id: str, tags: Mapping[str, str]
    ) -> None:
        self._client: S3Client = session.client("s3", config=CONFIG)
        self._region = session.region_name
        self._name = name
        self._owned: Any = {"Bucket": name, "ExpectedBucketOwner": account_id}
        self._tags = dict(tags)

    def heal(self) -> Iterator[str]:
        """Make what is missing, and yield what that was."""
        if self._is_missing():
            self._create()
            yield "created"
        steps = {
            "versioning": self._version,
            "encryption": self._encrypt,
            "public access block": self._block_public_access,
            "TLS-only policy": self._require_tls,
            "tags": self._tag,
        }
        for what, step in steps.items():
            if step():
                yield what

    def _is_missing(self) -> bool:
        try:
            region = self._client.head_bucket(**self._owned).get("BucketRegion", self._region)
        except ClientError as error:
            if code_of(error) in {"404", "NoSuchBucket"}:
                return True
            if code_of(error) in {"403", "AccessDenied", "301"}:
                raise self._not_ours() from error
            raise
        if region != self._region:
            raise PrerequisiteError(
                f"The state bucket {self._name} is in {region}, not in {self._region}:"
                " choose another name in the cluster file."
            )
        return False

    def _create(self) -> None:
        place: Any = {}
        if self._region != _HOME_REGION:
            place = {"CreateBucketConfiguration": {"LocationConstraint": self._region}}
        try:
            self._client.create_bucket(Bucket=self._name, **place)
        except ClientError as error:
            if code_of(error) == "BucketAlreadyExists":
                raise self._not_ours() from error
            if code_of(error) != "BucketAlreadyOwnedByYou":
                raise

    def _not_ours(self) -> PrerequisiteError:
        return PrerequisiteError(
            f"The bucket {self._name} belongs to another account, or this role may not see it:"
            " choose another name for the state bucket in the cluster file, or allow"
            " s3:ListBucket on it."
        )

    def _version(self) -> bool:
        if self._client.get_bucket_versioning(**self._owned).get("Status") == "Enabled":
            return False
        self._client.put_bucket_versioning(
            **self._owned, VersioningConfiguration={"Status": "Enabled"}
        )
        return True

    def _encrypt(self) -> bool:
        # A stronger key of the operator's choice stays.
        if _or_none(lambda: self._client.get_bucket_encryption(**self._owned)):
            return False
        self._client.put_bucket_encryption(
            **self._owned, ServerSideEncryptionConfiguration=_ENCRYPTION
        )
        return True

    def _block_public_access(self) -> bool:
        found = _or_none(lambda: self._client.get_public_access_block(**self._owned))
        if found and found["PublicAccessBlockConfiguration"] == _BLOCKED:
            return False
        self._client.put_public_access_block(**self._owned, PublicAccessBlockConfiguration=_BLOCKED)
        return True

    def _require_tls(self) -> bool:
        found = _or_none(lambda: self._client.get_bucket_policy(**self._owned))
        policy: dict[str, Any] = json.loads(found["Policy"]) if found else {"Version": "2012-10-17"}
        statements: list[Any] = policy.get("Statement", [])
        ours = self._tls_statement()
        if ours in statements:
            return False
        others = [statement for statement in statements if statement.get("Sid") != ours["Sid"]]
        policy["Statement"] = [*others, ours]
        self._client.put_bucket_policy(**self._owned, Policy=json.dumps(policy))
        return True

    def _tls_statement(self) -> dict[str, Any]:
        partition = self._client.meta.partition
        arn = f"arn:{partition}:s3:::{self._name}"
        return {
            "Sid": "OnlyTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }

    def _tag(self) -> bool:
        found = _or_none(lambda: self._client.get_bucket_tagging(**self._owned))
        present = {tag["Key"]: tag["Value"] for tag in found["TagSet"]} if found else {}
        wanted = present | self._tags
        if wanted == present:
            return False
        tag_set: Any = [{"Key": key, "Value": value} for key, value in wanted.items()]
        self._client.put_bucket_tagging(**self._owned, Tagging={"TagSet": tag_set})
        return True


def _or_none(read: Callable[[], Any]) -> Any:  # noqa: ANN401 - each setting has its own shape
    """Return a bucket's setting; None if it was never set."""
    try:
        return read()
    except ClientError as error:
        if code_of(error) in _UNSET:
            return None
        raise
