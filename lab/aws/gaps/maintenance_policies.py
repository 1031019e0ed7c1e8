"""A group has the maintenance policy and the warm-up that it was given.

moto: knows neither of them.
AWS: shows both as they were written, and nothing once they were cleared with -1.
Why it matters: Terraform would plan to write them again each time.
What the policy does is in `fleet/maintenance.py`.

Source: Auto Scaling API reference, CreateAutoScalingGroup and InstanceMaintenancePolicy.
"""

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult

from lab.aws.moto_edge import patch

_POLICY = "InstanceMaintenancePolicy"
_WARM_UP = "DefaultInstanceWarmup"
_CLEARED = -1


def _keep(response: AutoScalingResponse) -> None:
    """Keep what the request says beside what moto keeps; what it does not name stays as it is."""
    named = response._get_params()  # noqa: SLF001
    group = response.autoscaling_backend.autoscaling_groups[named["AutoScalingGroupName"]]
    if policy := named.get(_POLICY):
        group.instance_maintenance_policy = None if _CLEARED in policy.values() else policy
    if _WARM_UP in named:
        warm_up_s = named[_WARM_UP]
        group.default_instance_warmup = None if warm_up_s == _CLEARED else warm_up_s


def close() -> None:
    """Go on where moto's answers to creating and to updating a group end."""

    def create(self: AutoScalingResponse) -> ActionResult:
        answer = original_create(self)
        _keep(self)
        return answer

    def update(self: AutoScalingResponse) -> ActionResult:
        answer = original_update(self)
        _keep(self)
        return answer

    original_create = patch(AutoScalingResponse, "create_auto_scaling_group", create)
    original_update = patch(AutoScalingResponse, "update_auto_scaling_group", update)
