"""Scaling policies belong to their group, are enabled, and show only the blocks they have.

moto: keeps policies by name alone (two groups' policies of one name are one), answers without
`Enabled` and with empty configuration blocks for the kinds of scaling a policy is not.
AWS: a policy's name is unique in its group; `Enabled` is true unless said otherwise; blocks of
other kinds are absent.
Why it matters: Terraform plans to enable each policy and to remove a predictive block, again and
again, and pools overwrite each other's policies.

Source: Auto Scaling API reference, PutScalingPolicy and ScalingPolicy.
"""

from typing import Any

from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from lab.aws.gaps import policy_alarms
from lab.aws.moto_edge import patch

_BLOCKS = ("predictive_scaling_configuration", "step_adjustments", "target_tracking_configuration")


def _key(group_name: str, policy: str) -> str:
    """Return where a policy is kept; `policy` may be its ARN, as in every call of AWS."""
    return f"{group_name}/{policy.rpartition('policyName/')[2]}"


def _drop(backend: AutoScalingBackend, key: str) -> None:
    policy = backend.policies.pop(key, None)
    if policy is not None:
        policy_alarms.forget(policy)


def drop_all(backend: AutoScalingBackend, group_name: str) -> None:
    """Delete a group's policies with it, as AWS does."""
    for policy in backend.describe_policies(group_name):
        _drop(backend, _key(group_name, policy.name))


def close() -> None:
    """Keep policies by group and name, and complete what is answered of them."""

    def keep(self: AutoScalingBackend, **given: Any) -> Any:  # noqa: ANN401
        policy = original_keep(self, **given)
        self.policies[_key(policy.auto_scaling_group_name, policy.name)] = self.policies.pop(
            policy.name
        )
        policy.enabled = True
        for block in _BLOCKS:
            setattr(policy, block, getattr(policy, block) or None)
        policy_alarms.follow(policy)
        return policy

    def put(self: AutoScalingResponse) -> ActionResult:
        original_put(self)
        name, group_name = self._get_param("PolicyName"), self._get_param("AutoScalingGroupName")
        policy = self.autoscaling_backend.policies[_key(group_name, name)]
        policy.enabled = self._get_bool_param("Enabled", if_none=True)
        return ActionResult({"PolicyARN": policy.arn, "Alarms": policy.alarms})

    def delete(self: AutoScalingResponse) -> ActionResult:
        key = _key(self._get_param("AutoScalingGroupName"), self._get_param("PolicyName"))
        _drop(self.autoscaling_backend, key)
        return EmptyResult()

    def execute(self: AutoScalingResponse) -> ActionResult:
        key = _key(self._get_param("AutoScalingGroupName"), self._get_param("PolicyName"))
        self.autoscaling_backend.execute_policy(key)
        return EmptyResult()

    original_keep = patch(AutoScalingBackend, "put_scaling_policy", keep)
    original_put = patch(AutoScalingResponse, "put_scaling_policy", put)
    patch(AutoScalingResponse, "delete_policy", delete)
    patch(AutoScalingResponse, "execute_policy", execute)
