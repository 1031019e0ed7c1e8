"""Whether a group replaces its sick members by itself, which nobody may do while one migrates."""

import boto3

from corral.clients.aws.calls import CONFIG, translated
from corral.clients.aws.rolling import describe_built_group

REPLACING = "ReplaceUnhealthy"
"""Source: Auto Scaling user guide, suspend and resume processes."""


def hold_replacing(session: boto3.Session, name: str) -> bool:
    """Have a group leave its unhealthy members as they are; False if it does already.

    Raises:
        PrerequisiteError: There is no such group.

    """
    if _is_held(session, name):
        return False
    with translated("autoscaling"):
        session.client("autoscaling", config=CONFIG).suspend_processes(
            AutoScalingGroupName=name, ScalingProcesses=[REPLACING]
        )
    return True


def resume_replacing(session: boto3.Session, name: str) -> bool:
    """Have a group replace its unhealthy members again; False if it does already.

    Raises:
        PrerequisiteError: There is no such group.

    """
    if not _is_held(session, name):
        return False
    with translated("autoscaling"):
        session.client("autoscaling", config=CONFIG).resume_processes(
            AutoScalingGroupName=name, ScalingProcesses=[REPLACING]
        )
    return True


def _is_held(session: boto3.Session, name: str) -> bool:
    suspended = describe_built_group(session, name).get("SuspendedProcesses", ())
    return any(one["ProcessName"] == REPLACING for one in suspended)
