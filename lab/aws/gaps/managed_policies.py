"""AWS's own IAM policies can be attached.

moto: knows none of them unless told to load all 1600 at the start, which takes a second.
AWS: has them in every account.
Why it matters: the machines' roles attach one of them.

Source: moto's copy of AWS's managed policies, read when the first of them is asked for.
"""

import json
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

from lab.aws.moto_edge import patch

_PREFIX = ":iam::aws:policy/"


@cache
def _catalogue() -> dict[str, Any]:
    catalogue: dict[str, Any] = json.loads(aws_managed_policies_data)
    return catalogue


def _take_over(iam: IAMBackend, policy_arn: str) -> None:
    name = policy_arn.rpartition("/")[2]
    if _PREFIX in policy_arn and policy_arn not in iam.managed_policies and name in _catalogue():
        policy = AWSManagedPolicy.from_data(
            name, iam.account_id, iam.region_name, _catalogue()[name]
        )
        iam.managed_policies[policy.arn] = policy


def close() -> None:
    """Bring a managed policy into the account when it is first attached or read."""

    def attach(self: IAMBackend, policy_arn: str, role_name: str) -> None:
        _take_over(self, policy_arn)
        original_attach(self, policy_arn, role_name)

    def get(self: IAMBackend, policy_arn: str) -> Any:  # noqa: ANN401
        _take_over(self, policy_arn)
        return original_get(self, policy_arn)

    original_attach = patch(IAMBackend, "attach_role_policy", attach)
    original_get = patch(IAMBackend, "get_policy", get)
