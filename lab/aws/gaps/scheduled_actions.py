"""Scheduled actions belong to their group and have an ARN.

moto: keeps them by name alone, so that two pools' actions of one name are one, and answers no ARN.
AWS: an action's name is unique in its group.
Why it matters: pools overwrite each other's schedules.

Source: Auto Scaling API reference, PutScheduledUpdateGroupAction and ScheduledUpdateGroupAction.
"""

import uuid
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend

from lab.aws.moto_edge import ACCOUNT_ID, REGION, patch


def _arn(group_name: str, name: str) -> str:
    return (
        f"arn:aws:autoscaling:{REGION}:{ACCOUNT_ID}:scheduledUpdateGroupAction:{uuid.uuid4()}"
        f":autoScalingGroupName/{group_name}:scheduledActionName/{name}"
    )


def close() -> None:
    """Keep scheduled actions by group and name."""

    def put(self: AutoScalingBackend, **given: Any) -> Any:  # noqa: ANN401
        action = original(self, **given)
        group_name, name = action.auto_scaling_group_name, action.scheduled_action_name
        before = self.scheduled_actions.get((group_name, name))
        action.scheduled_action_arn = (
            before.scheduled_action_arn if before else _arn(group_name, name)
        )
        self.scheduled_actions[group_name, name] = self.scheduled_actions.pop(name)
        return action

    def delete(
        self: AutoScalingBackend, auto_scaling_group_name: str, scheduled_action_name: str
    ) -> None:
        key = (auto_scaling_group_name, scheduled_action_name)
        if self.scheduled_actions.pop(key, None) is None:
            raise ValidationError("Scheduled action name not found")

    original = patch(AutoScalingBackend, "put_scheduled_update_group_action", put)
    patch(AutoScalingBackend, "delete_scheduled_action", delete)
