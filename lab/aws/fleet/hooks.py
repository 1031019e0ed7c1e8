"""Terminating lifecycle hooks: instances that wait, and the event that says so.

An instance waits in `Terminating:Wait` until every hook's action is completed, its heartbeat times
out, or the global time-out (100 heartbeats or 48 hours, the shorter) is over.

Source: Auto Scaling user guide, "Amazon EC2 Auto Scaling lifecycle hooks" and "EventBridge event
reference", which has the event's shape.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.aws.fleet.events import announce
from lab.aws.moto_edge import Backends

TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
_LONGEST_S = 172800.0
_LONGEST_HEARTBEATS = 100


@dataclass(slots=True)
class Action:
    """One hook's wait for one instance; times are of the monotonic clock."""

    hook: Any
    instance_id: str
    token: str
    heartbeat_s: float
    ends: float
    latest_end: float

    def beat(self) -> None:
        """Start the heartbeat anew, but not past the global time-out."""
        self.ends = min(time.monotonic() + self.heartbeat_s, self.latest_end)


class Hooks:
    """The lifecycle actions that are under way."""

    def __init__(self, backends: Backends, seconds: Callable[[float], float]) -> None:
        self._backends = backends
        self._seconds = seconds
        self._actions: list[Action] = []

    def begin(self, group: Any, instance_id: str) -> bool:  # noqa: ANN401
        """Open an action for each terminating hook of the group; say whether there is one."""
        hooks = [
            hook
            for hook in self._backends.autoscaling.describe_lifecycle_hooks(group.name)
            if hook.lifecycle_transition == TERMINATING
        ]
        for hook in hooks:
            action = self._open(hook, instance_id)
            self._actions.append(action)
            self._tell(group, action)
        return bool(hooks)

    def waiting(self, instance_id: str) -> bool:
        """Say whether any action of the instance is still open."""
        return any(action.instance_id == instance_id for action in self._actions)

    def find(
        self, hook_name: str, group_name: str, instance_id: str | None, token: str | None
    ) -> Action | None:
        """Return the open action that a caller means by token or instance."""
        for action in self._actions:
            if (action.hook.name, action.hook.auto_scaling_group_name) != (hook_name, group_name):
                continue
            if action.token == token or (token is None and action.instance_id == instance_id):
                return action
        return None

    def complete(self, action: Action, result: str) -> None:
        """Close an action; ABANDON closes the instance's others as well."""
        self._actions = [
            other
            for other in self._actions
            if other is not action
            and not (result == "ABANDON" and other.instance_id == action.instance_id)
        ]

    def drop(self, hook_name: str, group_name: str) -> None:
        """Close the actions of a hook that is deleted: what waits to be terminated goes on.

        Source: Auto Scaling API reference, DeleteLifecycleHook.
        """
        gone = (hook_name, group_name)
        self._actions = [
            other
            for other in self._actions
            if (other.hook.name, other.hook.auto_scaling_group_name) != gone
        ]

    def forget(self, instance_id: str) -> None:
        """Drop an instance's actions, since the group or the instance is gone."""
        self._actions = [other for other in self._actions if other.instance_id != instance_id]

    def expire(self) -> None:
        """Close what nobody answered in time; a hook's default result ends the wait either way."""
        now = time.monotonic()
        self._actions = [action for action in self._actions if action.ends > now]

    def _open(self, hook: Any, instance_id: str) -> Action:  # noqa: ANN401
        heartbeat_s = self._seconds(float(hook.heartbeat_timeout))
        longest_s = min(self._seconds(_LONGEST_S), heartbeat_s * _LONGEST_HEARTBEATS)
        now = time.monotonic()
        return Action(
            hook, instance_id, str(uuid.uuid4()), heartbeat_s, now + heartbeat_s, now + longest_s
        )

    def _tell(self, group: Any, action: Action) -> None:  # noqa: ANN401
        """Put the event on the default bus, from where rules take it to their queues."""
        detail = {
            "LifecycleActionToken": action.token,
            "AutoScalingGroupName": group.name,
            "LifecycleHookName": action.hook.name,
            "EC2InstanceId": action.instance_id,
            "LifecycleTransition": TERMINATING,
            "Origin": "AutoScalingGroup",
            "Destination": "EC2",
        }
        metadata = getattr(action.hook, "notification_metadata", None)
        if metadata:
            detail["NotificationMetadata"] = metadata
        announce(
            self._backends,
            "aws.autoscaling",
            "EC2 Instance-terminate Lifecycle Action",
            [group.arn],
            detail,
        )
