"""What EC2 knows of instances: all of them, or those that are asked for by id."""

from collections.abc import Collection, Iterator, Mapping
from sys import intern
from typing import Any, Final

import boto3
from botocore.model import ServiceModel

from corral.clients.aws.calls import CONFIG, batches, translated
from corral.domain.herd import Instance
from corral.errors import AwsError

OPERATION: Final = "DescribeInstances"
PAGE_SIZE: Final = 1000
"""The largest page that EC2 gives; unpaged calls share a smaller allowance.

Source: EC2 API reference, DescribeInstances; EC2 API throttling.
"""
IDS_AT_ONCE: Final = 200
"""The most values that one filter takes. Source: EC2 API reference, Filter."""
CLUSTER_TAG: Final = "Cluster"
POOL_TAG: Final = "Pool"
MEMBERS: Final = frozenset(
    {
        "InstanceId",
        "InstanceLifecycle",
        "LaunchTime",
        "PrivateDnsName",
        "PrivateIpAddress",
        "State",
        "Tags",
        "VpcId",
    }
)
"""What is read of an instance; EC2 sends ten times as much."""


class Ec2:
    """The instances of one account in one region."""

    def __init__(self, session: boto3.Session) -> None:
        """Remember whom to ask; nothing is sent yet."""
        with translated("ec2"):
            self._client = session.client("ec2", config=CONFIG)
        _narrow(self._client.meta.service_model)

    def list(self) -> "list[Instance]":
        """Return every instance, each once, the terminated ones as long as EC2 shows them.

        Raises:
            AwsError: Some page could not be read: a part of the list proves nothing.
        """
        return [*self._read({"PaginationConfig": {"PageSize": PAGE_SIZE}}).values()]

    def find(self, ids: Collection[str]) -> dict[str, Instance]:
        """Return those of these instances that EC2 knows, by id.

        A filter asks for them: an id that EC2 has forgotten would fail a call that names it.
        """
        found: dict[str, Instance] = {}
        for some in batches(ids, IDS_AT_ONCE):
            found |= self._read({"Filters": [{"Name": "instance-id", "Values": some}]})
        # Whatever else came in spite of the filter is not an answer to the question.
        return {instance_id: found[instance_id] for instance_id in ids if instance_id in found}

    def _read(self, question: Mapping[str, Any]) -> dict[str, Instance]:
        with translated("ec2"):
            pages = self._client.get_paginator("describe_instances").paginate(**question)
            rows = [_instance(row) for page in pages for row in _rows(page)]
        return {row.id: row for row in rows}


def _narrow(model: ServiceModel) -> None:
    """Have one client parse only what is read of an instance.

    Parsing is where the time goes: a herd of thousands is read in less than half of it.
    """
    answer: Any = model.operation_model(OPERATION).output_shape
    reservation = answer.members["Reservations"].member
    instance = reservation.members["Instances"].member
    for name in instance.members.keys() - MEMBERS:
        del instance.members[name]


def _rows(page: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the instances of a page.

    Raises:
        AwsError: The page is none; EC2 sends an empty list where there is nothing.
    """
    if "Reservations" not in page:
        raise AwsError(OPERATION, "Incomplete", "a page without a list of instances: is this EC2?")
    for reservation in page["Reservations"]:
        yield from reservation.get("Instances", ())


def _instance(row: Mapping[str, Any]) -> Instance:
    """Return an instance; equal words of different ones are one in memory."""
    tags = {tag["Key"]: tag["Value"] for tag in row.get("Tags", ())}
    try:
        return Instance(
            id=row["InstanceId"],
            state=intern(row["State"]["Name"]),
            launched=row["LaunchTime"],
            private_ip=row.get("PrivateIpAddress", ""),
            private_dns=row.get("PrivateDnsName", ""),
            cluster=intern(tags.get(CLUSTER_TAG, "")),
            pool=intern(tags.get(POOL_TAG, "")),
            is_spot=row.get("InstanceLifecycle") == "spot",
            vpc_id=intern(row.get("VpcId", "")),
        )
    except KeyError as error:
        who = row.get("InstanceId", "an instance without id")
        raise AwsError(OPERATION, "Incomplete", f"{who} without {error}") from error
