"""What a group's machines were started from, and having a group replace one of them."""

from collections.abc import Mapping
from typing import Any

import boto3

from corral.clients.aws.calls import CONFIG, translated
from corral.clients.aws.groups import newest_launch_failure
from corral.domain.rolling import Machine, PoolMachines
from corral.errors import AwsError, PrerequisiteError

_NEWEST = {"$Latest": "LatestVersionNumber", "$Default": "DefaultVersionNumber"}
UNKNOWN_INSTANCE = "ValidationError"
"""How Auto Scaling answers about an instance that no group has (any more)."""


def read_machines(session: boto3.Session, name: str) -> PoolMachines:
    """Return a group's machines, each with the launch template version it was started from.

    Raises:
        PrerequisiteError: There is no such group, or it starts machines from no launch template.

    """
    group = describe_built_group(session, name)
    machines = tuple(machine_of(row) for row in group["Instances"])
    wanted = group["DesiredCapacity"]
    lacking = sum(not machine.is_set_aside for machine in machines) < wanted
    return PoolMachines(
        group=name,
        wanted=wanted,
        version=launched_version(session, group),
        machines=machines,
        launch_failure=newest_launch_failure(session, name) if lacking else "",
    )


def replace_machine(session: boto3.Session, instance_id: str) -> bool:
    """Have a group end a machine and start another; False if no group has it any more.

    Its hooks hold the machine until it is drained. The group keeps its size, so a new machine
    is started as soon as this one leaves.
    """
    try:
        with translated("autoscaling"):
            session.client("autoscaling", config=CONFIG).terminate_instance_in_auto_scaling_group(
                InstanceId=instance_id, ShouldDecrementDesiredCapacity=False
            )
    except AwsError as error:
        if error.code == UNKNOWN_INSTANCE:
            return False
        raise
    return True


def describe_built_group(session: boto3.Session, name: str) -> Mapping[str, Any]:
    """Return a group as Auto Scaling describes it.

    Raises:
        PrerequisiteError: There is no such group.

    """
    with translated("autoscaling"):
        answer = session.client("autoscaling", config=CONFIG).describe_auto_scaling_groups(
            AutoScalingGroupNames=[name]
        )
    if not answer["AutoScalingGroups"]:
        raise PrerequisiteError(f"There is no auto scaling group {name}: build the cluster first.")
    group: Mapping[str, Any] = answer["AutoScalingGroups"][0]
    return group


def machine_of(row: Mapping[str, Any]) -> Machine:
    """Return a group's member, with what it was started from."""
    return Machine(
        row["InstanceId"], row["LifecycleState"], _spelled(row.get("LaunchTemplate", {}))
    )


def launched_version(session: boto3.Session, group: Mapping[str, Any]) -> str:
    """Return what a group starts new machines from, with the number of its version."""
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    template = mixed.get("LaunchTemplateSpecification") or group.get("LaunchTemplate")
    if not template:
        raise PrerequisiteError(
            f"The group {group['AutoScalingGroupName']} starts machines from no launch template."
        )
    number = _NEWEST.get(template.get("Version", "$Default"))
    if number is None:
        return _spelled(template)
    with translated("ec2"):
        answer = session.client("ec2", config=CONFIG).describe_launch_templates(
            LaunchTemplateIds=[template["LaunchTemplateId"]]
        )
    row: Mapping[str, Any] = answer["LaunchTemplates"][0]
    return _spelled({**template, "Version": row[number]})


def _spelled(template: Mapping[str, Any]) -> str:
    return f"{template['LaunchTemplateId']}:{template['Version']}" if template else ""
