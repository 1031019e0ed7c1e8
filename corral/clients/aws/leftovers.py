"""What AWS still has of a cluster: by its tag, and by name where tags cannot be searched for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from corral.clients.aws.calls import CONFIG, code_of, translated
from corral.clients.aws.instances import CLUSTER_TAG
from corral.clients.aws.lookups import hosted_zone
from corral.domain.leftovers import LEAVING, Found

_UNKNOWN: Final = frozenset(
    {"InvalidInstanceID.NotFound", "NatGatewayNotFound", "ResourceNotFoundException"}
)

_Look = Callable[[Any, str], str]
"""Asks a service for the state of what has an ARN."""


def find_tagged(session: boto3.Session, cluster: str) -> list[Found]:
    """Return what has the cluster's tag, in all services that can be searched for tags.

    What has just gone is listed for a while: of what goes slowly, the state is asked for.

    Source: Resource Groups Tagging API reference, GetResources, and "Supported services", which
        lacks auto scaling groups and roles: `find_groups` and `find_roles` look for these.
    """
    filters: Any = [{"Key": CLUSTER_TAG, "Values": [cluster]}]
    with translated("tag"):
        pages = session.client("resourcegroupstaggingapi", config=CONFIG).get_paginator(
            "get_resources"
        )
        rows = [
            row
            for page in pages.paginate(TagFilters=filters)
            for row in page["ResourceTagMappingList"]
        ]
    return [
        Found(row["ResourceARN"], _plain(row["Tags"]), _state(session, row["ResourceARN"]))
        for row in rows
    ]


def find_groups(session: boto3.Session, cluster: str) -> list[Found]:
    """Return the auto scaling groups of a cluster."""
    filters: Any = [{"Name": f"tag:{CLUSTER_TAG}", "Values": [cluster]}]
    with translated("autoscaling"):
        pages = session.client("autoscaling", config=CONFIG).get_paginator(
            "describe_auto_scaling_groups"
        )
        return [
            Found(row["AutoScalingGroupARN"], _plain(row["Tags"]))
            for page in pages.paginate(Filters=filters)
            for row in page["AutoScalingGroups"]
        ]


def find_roles(session: boto3.Session, cluster: str) -> list[Found]:
    """Return the roles of a cluster, of those whose names begin as its do."""
    with translated("iam"):
        client = session.client("iam", config=CONFIG)
        pages = client.get_paginator("list_roles").paginate()
        rows = [row for page in pages for row in page["Roles"]]
        named = (row for row in rows if row["RoleName"].startswith(f"{cluster}-"))
        found = [
            Found(row["Arn"], _plain(client.list_role_tags(RoleName=row["RoleName"])["Tags"]))
            for row in named
        ]
    return [one for one in found if one.tags.get(CLUSTER_TAG) == cluster]


def find_records(session: boto3.Session, zone: str, names: Sequence[str]) -> list[Found]:
    """Return the records of a public zone that have one of these names."""
    zone_id = hosted_zone(session, zone)
    wanted = {f"{name}." for name in names}
    with translated("route53"):
        pages = session.client("route53", config=CONFIG).get_paginator("list_resource_record_sets")
        return [
            Found(f"{row['Type']} record {row['Name'].rstrip('.')}", {})
            for page in pages.paginate(HostedZoneId=zone_id)
            for row in page["ResourceRecordSets"]
            if row["Name"] in wanted
        ]


def _plain(tags: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _state(session: boto3.Session, arn: str) -> str:
    """Return the state of what may be on its way out; "" of anything else."""
    for mark, (service, look) in _LOOKS.items():
        if mark in arn:
            return _asked(session, service, look, arn)
    return ""


def _asked(session: boto3.Session, service: str, look: _Look, arn: str) -> str:
    """Return what a service says; one that knows it no more says that it is gone."""
    with translated(service):
        try:
            return look(session.client(service, config=CONFIG), arn)  # type: ignore[call-overload]
        except ClientError as error:
            if code_of(error) in _UNKNOWN:
                return "deleted"
            raise


def _instance_state(client: Any, arn: str) -> str:  # noqa: ANN401 - boto3's
    answer = client.describe_instances(InstanceIds=[_id(arn)])
    return str(answer["Reservations"][0]["Instances"][0]["State"]["Name"])


def _gateway_state(client: Any, arn: str) -> str:  # noqa: ANN401 - boto3's
    return str(client.describe_nat_gateways(NatGatewayIds=[_id(arn)])["NatGateways"][0]["State"])


def _secret_state(client: Any, arn: str) -> str:  # noqa: ANN401 - boto3's
    return LEAVING if "DeletedDate" in client.describe_secret(SecretId=arn) else ""


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]


_LOOKS: dict[str, tuple[str, _Look]] = {
    ":instance/": ("ec2", _instance_state),
    ":natgateway/": ("ec2", _gateway_state),
    ":secret:": ("secretsmanager", _secret_state),
}
