"""Rights of policies, and the operations that they allow."""

import fnmatch
import json
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from corral.settings import PROJECT

FREE = {"GetCallerIdentity"}
"""Needs no right. Source: AWS STS API reference."""

S3 = {
    "DeleteObjectVersion": "DeleteObject",
    "GetBucketPublicAccessBlock": "GetPublicAccessBlock",
    "GetAccelerateConfiguration": "GetBucketAccelerateConfiguration",
    "GetEncryptionConfiguration": "GetBucketEncryption",
    "GetLifecycleConfiguration": "GetBucketLifecycleConfiguration",
    "GetReplicationConfiguration": "GetBucketReplication",
    "ListBucket": "ListObjectsV2",
    "ListBucketVersions": "ListObjectVersions",
    "PutBucketPublicAccessBlock": "PutPublicAccessBlock",
    "PutEncryptionConfiguration": "PutBucketEncryption",
    "PutLifecycleConfiguration": "PutBucketLifecycleConfiguration",
}
"""Rights of S3 and the operation each is for. Source: service authorization reference of S3."""

HEADS = {"ListBucket": "HeadBucket", "GetObject": "HeadObject"}
"""Rights of S3 and what else they allow. Source: S3 API reference, HeadBucket and HeadObject."""


def statements_of(policy: Path) -> list[dict[str, Any]]:
    """Return the statements of a policy."""
    statements: list[dict[str, Any]] = json.loads(policy.read_text())["Statement"]
    return statements


def as_list(value: str | list[str]) -> list[str]:
    """Return what a policy may write as one or as a list."""
    return [value] if isinstance(value, str) else value


def actions_of(policy: Path) -> set[str]:
    """Return every action that a policy names, such as `ec2:Describe*`."""
    return {action for one in statements_of(policy) for action in as_list(one["Action"])}


def beyond(policy: str, journal: Iterable[dict[str, Any]]) -> set[str]:
    """Return what AWS did, by a lab's journal, that a policy in docs/iam does not allow."""
    done = (row for row in journal if row["target"] == "aws" and row["status"] == HTTPStatus.OK)
    called = {row["operation"] for row in done}
    names = {action.partition(":")[2] for action in actions_of(PROJECT / "docs" / "iam" / policy)}
    allowed = names | {each[name] for each in (S3, HEADS) for name in names & each.keys()}
    return {
        operation
        for operation in called - FREE
        if not any(fnmatch.fnmatchcase(operation, pattern) for pattern in allowed)
    }
