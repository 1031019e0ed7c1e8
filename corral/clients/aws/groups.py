"""Auto scaling groups and the target groups their instances are in."""

from dataclasses import dataclass

import boto3

from corral.clients.aws.calls import CONFIG, translated
from corral.errors import PrerequisiteError

ACTIVITIES = 20
"""How many of a group's last activities are looked at: those under way come first."""


@dataclass(frozen=True, slots=True)
class GroupMember:
    """One instance of an auto scaling group."""

    instance_id: str
    lifecycle: str
    """`InService`, `Pending`, `Terminating:Wait`, ..."""
    zone: str
    private_ip: str
    """Empty while EC2 does not know it (yet, or any more)."""


@dataclass(frozen=True, slots=True)
class Group:
    """One auto scaling group."""

    name: str
    minimum: int
    desired: int
    maximum: int
    members: tuple[GroupMember, ...]


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """What a load balancer thinks of one instance."""

    instance_id: str
    state: str
    """`healthy`, `unhealthy`, `initial`, `draining`, `unused`."""
    reason: str

    @property
    def is_healthy(self) -> bool:
        """Whether it gets requests."""
        return self.state == "healthy"


def read_group(session: boto3.Session, name: str) -> Group:
    """Return a group and its members, with their addresses.

    Raises:
        PrerequisiteError: There is no such group.

    """
    group = find_group(session, name)
    if group is None:
        raise PrerequisiteError(f"There is no auto scaling group {name}.")
    return group


def find_group(session: boto3.Session, name: str) -> Group | None:
    """Return a group and its members, with their addresses; None if there is no such group."""
    with translated("autoscaling"):
        answer = session.client("autoscaling", config=CONFIG).describe_auto_scaling_groups(
            AutoScalingGroupNames=[name]
        )
    if not answer["AutoScalingGroups"]:
        return None
    group = answer["AutoScalingGroups"][0]
    addresses = _addresses(session, [instance["InstanceId"] for instance in group["Instances"]])
    members = (
        GroupMember(
            instance_id=instance["InstanceId"],
            lifecycle=instance["LifecycleState"],
            zone=instance["AvailabilityZone"],
            private_ip=addresses.get(instance["InstanceId"], ""),
        )
        for instance in group["Instances"]
    )
    return Group(name, group["MinSize"], group["DesiredCapacity"], group["MaxSize"], tuple(members))


def scale_group(session: boto3.Session, name: str, size: int) -> bool:
    """Raise a group's minimum and desired size to a number; never lower them.

    Returns:
        Whether anything had to be changed.

    """
    group = read_group(session, name)
    minimum, desired = max(group.minimum, size), max(group.desired, size)
    if (minimum, desired) == (group.minimum, group.desired):
        return False
    with translated("autoscaling"):
        session.client("autoscaling", config=CONFIG).update_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=minimum, DesiredCapacity=desired
        )
    return True


def newest_launch_failure(session: boto3.Session, name: str) -> str:
    """Return why a group could not do what it last tried, in AWS's words; empty if it could.

    Source: Auto Scaling API, DescribeScalingActivities: newest first, `StatusMessage`.
    """
    with translated("autoscaling"):
        answer = session.client("autoscaling", config=CONFIG).describe_scaling_activities(
            AutoScalingGroupName=name, MaxRecords=ACTIVITIES
        )
    ended = (a for a in answer["Activities"] if a["StatusCode"] in ("Successful", "Failed"))
    newest = next(ended, None)
    if newest is None or newest["StatusCode"] == "Successful":
        return ""
    return newest.get("StatusMessage") or newest["Description"]


def target_health(session: boto3.Session, target_group_arn: str) -> tuple[TargetHealth, ...]:
    """Return what the load balancer thinks of each registered instance."""
    with translated("elasticloadbalancing"):
        answer = session.client("elbv2", config=CONFIG).describe_target_health(
            TargetGroupArn=target_group_arn
        )
    return tuple(
        TargetHealth(
            instance_id=description["Target"]["Id"],
            state=description["TargetHealth"]["State"],
            reason=description["TargetHealth"].get("Description", ""),
        )
        for description in answer["TargetHealthDescriptions"]
    )


def _addresses(session: boto3.Session, instance_ids: list[str]) -> dict[str, str]:
    if not instance_ids:
        return {}
    with translated("ec2"):
        pages = session.client("ec2", config=CONFIG).get_paginator("describe_instances")
        # A filter, not ids: an id that EC2 has forgotten would fail the whole call.
        found = pages.paginate(Filters=[{"Name": "instance-id", "Values": instance_ids}])
        return {
            instance["InstanceId"]: instance.get("PrivateIpAddress", "")
            for page in found
            for reservation in page["Reservations"]
            for instance in reservation["Instances"]
        }
