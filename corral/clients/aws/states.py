"""The states of stacks, read from their bucket: what each holds, and its outputs.

Terraform alone changes them; to read them takes neither an engine nor a lock.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from corral.clients.aws.calls import CONFIG, code_of, translated
from corral.domain.states import StackState
from corral.errors import PrerequisiteError

_ENDING: Final = ".tfstate"
_FORMAT: Final = 4
_MISSING: Final = frozenset({"NoSuchBucket", "NoSuchKey"})


def read_state(session: boto3.Session, bucket: str, account_id: str, key: str) -> StackState:
    """Return the state of one stack; an empty one if it was never applied.

    Args:
        session: Region and credentials.
        bucket: Where the states are kept.
        account_id: Whose it must be; each call says so, so that S3 refuses another's bucket.
        key: Of the state, without its ending: `lab/vpc`.

    Raises:
        PrerequisiteError: The state is none that this corral can read.

    """
    with translated("s3"):
        client = session.client("s3", config=CONFIG)
        try:
            answer = client.get_object(
                Bucket=bucket, ExpectedBucketOwner=account_id, Key=f"{key}{_ENDING}"
            )
            body = answer["Body"].read()
        except ClientError as error:
            if code_of(error) in _MISSING:
                return StackState()
            raise
    return _state(key, body)


def read_states(
    session: boto3.Session, bucket: str, account_id: str, cluster: str
) -> dict[str, StackState]:
    """Return the state of every stack of a cluster that was ever applied, by the stack's name.

    Args:
        session: Region and credentials.
        bucket: Where the states are kept.
        account_id: Whose it must be.
        cluster: Whose states; their keys begin with it.

    Raises:
        PrerequisiteError: A state is none that this corral can read.

    """
    with translated("s3"):
        pages = session.client("s3", config=CONFIG).get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=bucket, ExpectedBucketOwner=account_id, Prefix=f"{cluster}/")
        try:
            keys = [entry["Key"] for page in found for entry in page.get("Contents", ())]
        except ClientError as error:
            if code_of(error) in _MISSING:
                return {}
            raise
    names = [key.removesuffix(_ENDING) for key in keys if key.endswith(_ENDING)]
    return {
        name.removeprefix(f"{cluster}/"): read_state(session, bucket, account_id, name)
        for name in names
    }


def _state(key: str, body: bytes) -> StackState:
    """Return what a state holds.

    Source: Terraform, internal/states/statefile/version4.go.
    """
    try:
        document: Mapping[str, Any] = json.loads(body)
        if document["version"] == _FORMAT:
            return StackState(
                attributes=dict(_resources(document.get("resources", ()))),
                outputs={name: each["value"] for name, each in document["outputs"].items()},
            )
    # no JSON, no mapping, no such key
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PrerequisiteError(f"The state {key} cannot be read: is it Terraform's?") from error
    raise PrerequisiteError(
        f"The state {key} has format {document['version']}, and this corral reads {_FORMAT}: use"
        " the corral that wrote it, or a newer one."
    )


def _resources(resources: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:  # noqa: ANN401 - of a JSON document
    """Yield address and attributes of what is managed; what is only looked up is nobody's."""
    for resource in resources:
        if resource["mode"] != "managed":
            continue
        for instance in resource["instances"]:
            index = f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
            yield f"{resource['type']}.{resource['name']}{index}", instance["attributes"]
