"""Lifecycle hooks have the notification target, role and metadata they were given.

moto: `DescribeLifecycleHooks` shows a canned queue and role for every hook.
AWS: shows what PutLifecycleHook was given, nothing when nothing was.
Why it matters: Terraform wants to remove the canned ones with every plan.

Source: Auto Scaling API reference, LifecycleHook.
"""

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult

from lab.aws.moto_edge import patch


def close() -> None:
    """Keep what the request says beside what moto keeps."""

    def put(self: AutoScalingResponse) -> ActionResult:
        answer = original(self)
        (hook,) = self.autoscaling_backend.describe_lifecycle_hooks(
            self._get_param("AutoScalingGroupName"), [self._get_param("LifecycleHookName")]
        )
        hook.notification_target_arn = self._get_param("NotificationTargetARN")
        hook.role_arn = self._get_param("RoleARN")
        hook.notification_metadata = self._get_param("NotificationMetadata")
        return answer

    original = patch(AutoScalingResponse, "put_lifecycle_hook", put)
