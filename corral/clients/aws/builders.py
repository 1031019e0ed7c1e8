"""The machines that Packer bakes on, and what it makes for them: removed where nobody does."""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import boto3

from corral.clients.aws.calls import CONFIG, translated
from corral.clients.polling import Waiting, wait_until
from corral.domain.images import BUILDER_TAG, LEFT_TAG, RUN_TAG, Builder
from corral.errors import AwsError

TEMPORARY = "packer_"
"""How the names of Packer's key pairs and security groups begin. Source: packer, builder/amazon."""

_LIVING = ["pending", "running", "stopping", "stopped", "shutting-down"]
_USED = "DependencyViolation"
_GONE = {"InvalidInstanceID.NotFound", "InvalidGroup.NotFound", "InvalidKeyPair.NotFound"}


def find_builders(session: boto3.Session, cluster: str) -> list[Builder]:
    """Return the builders of a cluster that are not terminated yet."""
    with translated("ec2"):
        pages = session.client("ec2", config=CONFIG).get_paginator("describe_instances")
        found = pages.paginate(
            Filters=[
                {"Name": f"tag:{BUILDER_TAG}", "Values": [cluster]},
                {"Name": "instance-state-name", "Values": _LIVING},
            ]
        )
        return [
            _builder(row)
            for page in found
            for reservation in page["Reservations"]
            for row in reservation["Instances"]
        ]


def end_builders(
    session: boto3.Session,
    cluster: str,
    builders: Collection[Builder],
    *,
    deadline: timedelta,
    interval: timedelta,
    on_wait: Callable[[Waiting], None],
) -> list[str]:
    """Terminate builders and remove their key pairs and security groups; return what was removed.

    What belongs to a builder is marked before the builder goes: a run that dies in between leaves
    enough for the next. The mark is our own, since Packer's tags, where its version gives any, are
    on what belongs to living builders as well.

    Raises:
        GateTimeoutError: They do not end in time, or their groups stay in use.

    """
    client = session.client("ec2", config=CONFIG)
    patiently = partial(wait_until, deadline=deadline, interval=interval, on_wait=on_wait)
    ids = sorted(builder.id for builder in builders)
    if ids:
        _mark(client, cluster, builders)
        _unless_gone(lambda: client.terminate_instances(InstanceIds=ids))
        patiently(
            f"builders of {cluster} are terminated",
            lambda: [
                f"{one.id} is not" for one in find_builders(session, cluster) if one.id in ids
            ],
        )
    keys, groups = _belongings(client, cluster)
    for key in keys:
        _unless_gone(partial(client.delete_key_pair, KeyName=key))
    patiently(
        f"security groups of ended builders of {cluster} are deleted",
        lambda: [f"{groups[one]} is still in use" for one in groups if not _delete(client, one)],
    )
    return [*ids, *keys, *groups.values()]


def _builder(row: Mapping[str, Any]) -> Builder:
    tags = {tag["Key"]: tag["Value"] for tag in row.get("Tags", ())}
    groups = (g["GroupId"] for g in row["SecurityGroups"] if g["GroupName"].startswith(TEMPORARY))
    key = row.get("KeyName", "")
    return Builder(
        id=row["InstanceId"],
        run=tags.get(RUN_TAG, ""),
        launched=row["LaunchTime"],
        key_pair=key if key.startswith(TEMPORARY) else "",
        groups=tuple(groups),
    )


def _mark(client: Any, cluster: str, builders: Collection[Builder]) -> None:  # noqa: ANN401 - boto3's
    groups = [group for builder in builders for group in builder.groups]
    mark = [{"Key": LEFT_TAG, "Value": cluster}]
    for one in [*groups, *_key_pairs(client, builders)]:
        _unless_gone(partial(client.create_tags, Resources=[one], Tags=mark))


def _key_pairs(client: Any, builders: Collection[Builder]) -> list[str]:  # noqa: ANN401 - boto3's
    names = sorted({builder.key_pair for builder in builders if builder.key_pair})
    if not names:
        return []
    with translated("ec2"):
        answer = client.describe_key_pairs(Filters=[{"Name": "key-name", "Values": names}])
    return [pair["KeyPairId"] for pair in answer["KeyPairs"]]


def _belongings(client: Any, cluster: str) -> tuple[list[str], dict[str, str]]:  # noqa: ANN401 - boto3's
    """Return the names of the key pairs that are marked, and of the groups by their ids."""
    mine = [{"Name": f"tag:{LEFT_TAG}", "Values": [cluster]}]
    with translated("ec2"):
        keys = client.describe_key_pairs(Filters=mine)["KeyPairs"]
        groups = client.describe_security_groups(Filters=mine)["SecurityGroups"]
    return [key["KeyName"] for key in keys], {row["GroupId"]: row["GroupName"] for row in groups}


def _delete(client: Any, group: str) -> bool:  # noqa: ANN401 - boto3's
    """Delete a group; False where EC2 refuses, since the network card of a builder still has it.

    A card may go a while after its machine is terminated.
    """
    try:
        _unless_gone(partial(client.delete_security_group, GroupId=group))
    except AwsError as error:
        if error.code != _USED:
            raise
        return False
    return True


def _unless_gone(call: Callable[[], object]) -> None:
    try:
        with translated("ec2"):
            call()
    except AwsError as error:
        if error.code not in _GONE:
            raise
