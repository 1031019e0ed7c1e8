"""What auto scaling groups do to instances: their log of endings, and lifecycle actions."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

import boto3

from corral.clients.aws.calls import CONFIG, batches, translated
from corral.domain.lifecycle import Termination
from corral.errors import AwsError

IDS_AT_ONCE: Final = 50
"""Source: Auto Scaling API reference, DescribeAutoScalingInstances."""
NAMES_AT_ONCE: Final = 100
"""Source: Auto Scaling API reference, DescribeAutoScalingGroups."""
ACTIVITIES_AT_ONCE: Final = 100
PAGES: Final = 10
"""How far back a group's log is read, a hundred activities each; what is older counts as unknown.

Source: Auto Scaling API reference, DescribeScalingActivities: newest first, kept for six weeks.
"""
CAUSE_LENGTH: Final = 300
_PASSING: Final = ("Pending", "Terminat")
"""How the states begin of members that come and go. Source: Auto Scaling user guide, "Amazon EC2
Auto Scaling instance lifecycle"."""
# A note may follow the id while a load balancer drains.
_TERMINATING: Final = re.compile(r"Terminating EC2 instance: (i-[0-9a-z]+)")
_DONE: Final = "Successful"
_UNKNOWN: Final = "ValidationError"
"""How Auto Scaling answers about what is not there (any more): a group, a hook, an action."""


class Groups:
    """The auto scaling groups of one account in one region."""

    def __init__(self, session: boto3.Session) -> None:
        """Remember whom to ask; nothing is sent yet."""
        with translated("autoscaling"):
            self._client = session.client("autoscaling", config=CONFIG)

    def terminations(self, names: Collection[str], ids: Collection[str]) -> dict[str, str]:
        """Return how a group has ended an instance, a sentence by its id.

        What is still going on, or failed, is not an end.

        Args:
            names: The groups to ask; those that do not exist (any more) know nothing.
            ids: The instances that matter.
        """
        found: dict[str, str] = {}
        for name in sorted(set(names)):
            missing = set(ids) - found.keys()
            if missing:
                found |= self._ended(name, missing)
        return found

    def members_of(self, names: Collection[str]) -> dict[str, str]:
        """Return the group of each instance that these groups have, by its id.

        Those in service or in standby; not those that are about to come or to go.

        Args:
            names: The groups to ask; those that do not exist (any more) have none.
        """
        found: dict[str, str] = {}
        for some in batches(names, NAMES_AT_ONCE):
            with translated("autoscaling"):
                pages = self._client.get_paginator("describe_auto_scaling_groups")
                for page in pages.paginate(AutoScalingGroupNames=some):
                    found |= {
                        member["InstanceId"]: group["AutoScalingGroupName"]
                        for group in page["AutoScalingGroups"]
                        for member in group["Instances"]
                        if not member["LifecycleState"].startswith(_PASSING)
                    }
        return found

    def lifecycle_states(self, ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """Return group and lifecycle state of each of these instances that is in a group, by id.

        States as Auto Scaling spells them: InService, Terminating:Wait.
        """
        states: dict[str, tuple[str, str]] = {}
        for some in batches(ids, IDS_AT_ONCE):
            with translated("autoscaling"):
                pages = self._client.get_paginator("describe_auto_scaling_instances")
                for page in pages.paginate(InstanceIds=some):
                    states |= {
                        row["InstanceId"]: (row["AutoScalingGroupName"], row["LifecycleState"])
                        for row in page["AutoScalingInstances"]
                        if row["InstanceId"] in some
                    }
        return states

    def complete(self, action: Termination) -> bool:
        """Let the group go on with an instance; False if it no longer waited."""
        return self._answer(
            self._client.complete_lifecycle_action, action, LifecycleActionResult="CONTINUE"
        )

    def heartbeat(self, action: Termination) -> bool:
        """Have the group wait on, for the hook's time-out; False if it no longer waits."""
        return self._answer(self._client.record_lifecycle_action_heartbeat, action)

    @staticmethod
    def _answer(call: Callable[..., object], action: Termination, **more: str) -> bool:
        try:
            with translated("autoscaling"):
                call(
                    AutoScalingGroupName=action.group,
                    LifecycleHookName=action.hook,
                    LifecycleActionToken=action.token,
                    InstanceId=action.instance_id,
                    **more,
                )
        except AwsError as error:
            if error.code == _UNKNOWN:
                return False
            raise
        return True

    def _ended(self, name: str, ids: Collection[str]) -> dict[str, str]:
        """Return what one group wrote down of these instances' ends."""
        found: dict[str, str] = {}
        for activity in self._log(name):
            match = _TERMINATING.match(activity.get("Description", ""))
            if match and match[1] in ids and activity["StatusCode"] == _DONE:
                found.setdefault(match[1], _sentence(name, activity))
                if len(found) == len(ids):
                    break
        return found

    def _log(self, name: str) -> Iterator[Mapping[str, Any]]:
        """Yield a group's activities, newest first; none if there is no such group."""
        pages = self._client.get_paginator("describe_scaling_activities").paginate(
            AutoScalingGroupName=name,
            IncludeDeletedGroups=True,
            PaginationConfig={
                "PageSize": ACTIVITIES_AT_ONCE,
                "MaxItems": ACTIVITIES_AT_ONCE * PAGES,
            },
        )
        try:
            with translated("autoscaling"):
                for page in pages:
                    yield from page["Activities"]
        except AwsError as error:
            if error.code != _UNKNOWN:
                raise


def _sentence(name: str, activity: Mapping[str, Any]) -> str:
    cause = " ".join(str(activity.get("Cause", "")).split())[:CAUSE_LENGTH]
    ended = activity.get("EndTime") or activity["StartTime"]
    return f"the group {name} terminated it at {ended:%Y-%m-%d %H:%M:%S} UTC: {cause}"
