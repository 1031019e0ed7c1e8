"""A protected load balancer stays.

moto: deletes it whatever its attribute `deletion_protection.enabled` says.
AWS: refuses with OperationNotPermitted.
Why it matters: who ends a cluster has to take the protection off first, and would never notice.

Source: Elastic Load Balancing API reference, DeleteLoadBalancer, "You can't delete a load balancer
if deletion protection is enabled", and its error OperationNotPermitted.
"""

from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend

from lab.aws.moto_edge import patch


def close() -> None:
    """Look at the attribute first."""

    def delete(self: ELBv2Backend, arn: str) -> None:
        balancer = self.load_balancers.get(arn)
        if balancer and balancer.attrs.get("deletion_protection.enabled") == "true":
            raise ELBClientError(
                "OperationNotPermitted",
                f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
            )
        original(self, arn)

    original = patch(ELBv2Backend, "delete_load_balancer", delete)
