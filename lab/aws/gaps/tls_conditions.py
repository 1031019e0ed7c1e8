"""A statement that refuses calls without TLS does not refuse the lab's calls.

moto: a condition that does not hold refuses the call, whatever the statement's effect is.
AWS: a Deny statement whose condition does not hold says nothing about the call.
Why it matters: a bucket with a TLS-only policy answers everybody with 403.

Loopback stands for TLS here: what AWS would see as `aws:SecureTransport` is true for every call.

Source: IAM user guide, "Policy evaluation logic" and "aws:SecureTransport".
"""

from typing import Any

from moto.iam.access_control import IAMPolicyStatement, PermissionResult

from lab.aws.moto_edge import patch

_WITHOUT_TLS = {"Bool": {"aws:SecureTransport": "false"}}


def close() -> None:
    """Take a Deny of calls without TLS for what it is."""

    def is_action_permitted(self: IAMPolicyStatement, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        statement = self._statement
        if statement["Effect"] == "Deny" and statement.get("Condition") == _WITHOUT_TLS:
            return PermissionResult.NEUTRAL
        return original(self, *args, **kwargs)

    original = patch(IAMPolicyStatement, "is_action_permitted", is_action_permitted)
