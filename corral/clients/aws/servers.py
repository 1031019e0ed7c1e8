"""The group of Rancher's servers, with what the load balancer says of each."""

from collections.abc import Mapping
from typing import Any

import boto3

from corral.clients.aws.calls import CONFIG, translated
from corral.clients.aws.groups import target_health
from corral.clients.aws.instances import Ec2
from corral.clients.aws.rolling import (
    UNKNOWN_INSTANCE,
    describe_built_group,
    launched_version,
    machine_of,
)
from corral.domain.servers import NOT_REGISTERED, Server, ServerGroup
from corral.errors import AwsError

GROUP_TAG = "aws:autoscaling:groupName"
"""What Auto Scaling writes on each instance that it starts."""

_ALIVE = ("pending", "running", "shutting-down", "stopping", "stopped")


def read_servers(session: boto3.Session, name: str, target_group_arn: str) -> ServerGroup:
    """Return a group's servers, each with its launch template version and its target's state.

    Raises:
        PrerequisiteError: There is no such group, or it starts machines from no launch template.

    """
    group = describe_built_group(session, name)
    ids = [row["InstanceId"] for row in group["Instances"]]
    targets = {one.instance_id: one.state for one in target_health(session, target_group_arn)}
    known = Ec2(session).find(ids)
    return ServerGroup(
        name=name,
        wanted=group["DesiredCapacity"],
        version=launched_version(session, group),
        servers=tuple(_server(row, known, targets) for row in group["Instances"]),
        suspended=frozenset(one["ProcessName"] for one in group.get("SuspendedProcesses", ())),
    )


def leave_balancer(session: boto3.Session, target_group_arn: str, instance_id: str) -> None:
    """Take an instance out of a target group, if it is in there; what it is busy with, it may end.

    Source: Elastic Load Balancing API reference, DeregisterTargets: one that is not there is none
    to complain of, although the reference lists an error for it too.
    """
    try:
        with translated("elasticloadbalancing"):
            session.client("elbv2", config=CONFIG).deregister_targets(
                TargetGroupArn=target_group_arn, Targets=[{"Id": instance_id}]
            )
    except AwsError as error:
        if error.code != "InvalidTarget":
            raise


def remove_server(session: boto3.Session, name: str, instance_id: str, size: int) -> bool:
    """Have a group end one of its instances and get along with fewer; False if it did not.

    Its minimum is lowered no further than to that size, so that the same order, heard twice, cannot
    take a second one.

    Args:
        session: Whom to ask.
        name: The group's.
        instance_id: Which.
        size: How many the group has afterwards.

    """
    scaling = session.client("autoscaling", config=CONFIG)
    try:
        with translated("autoscaling"):
            scaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=size)
            scaling.terminate_instance_in_auto_scaling_group(
                InstanceId=instance_id, ShouldDecrementDesiredCapacity=True
            )
    except AwsError as error:
        if error.code == UNKNOWN_INSTANCE:
            return False
        raise
    return True


def empty_group(session: boto3.Session, name: str) -> bool:
    """Have a group end all of its instances; False if it wanted none already."""
    group = describe_built_group(session, name)
    if (group["MinSize"], group["DesiredCapacity"]) == (0, 0):
        return False
    with translated("autoscaling"):
        session.client("autoscaling", config=CONFIG).update_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=0, DesiredCapacity=0
        )
    return True


def living_instances(session: boto3.Session, name: str) -> dict[str, str]:
    """Return the state of each instance that a group has started and that has not ended yet."""
    tag, states = f"tag:{GROUP_TAG}", "instance-state-name"
    with translated("ec2"):
        pages = session.client("ec2", config=CONFIG).get_paginator("describe_instances")
        found = pages.paginate(
            Filters=[{"Name": tag, "Values": [name]}, {"Name": states, "Values": [*_ALIVE]}]
        )
        return {
            row["InstanceId"]: row["State"]["Name"]
            for page in found
            for reservation in page["Reservations"]
            for row in reservation["Instances"]
        }


def _server(row: Mapping[str, Any], known: Mapping[str, Any], targets: Mapping[str, str]) -> Server:
    machine = machine_of(row)
    instance = known.get(machine.instance_id)
    return Server(
        machine.instance_id,
        machine.lifecycle,
        machine.version,
        zone=row["AvailabilityZone"],
        launched=instance.launched if instance else None,
        target=targets.get(machine.instance_id, NOT_REGISTERED),
    )
