"""How many instances of a group may be replaced at once, by its maintenance policy; pure.

moto: knows no policy.
AWS: keeps the policy's share of the desired capacity in service while it replaces what fails its
health checks, and goes on only when the replacements are well; without a policy all are replaced
at once. How a share that is no whole number is rounded is not said: up is assumed, and that one
instance may always be replaced, or a group of one never would be.
Why it matters: when Rancher's servers are restarted all at once, the load balancer calls all of
them unhealthy, and their machines must not all be replaced for it.

Source: Auto Scaling user guide, "Instance maintenance policies".
"""

import math
from collections.abc import Mapping


def room(policy: Mapping[str, object] | None, desired: int, being_replaced: int) -> int:
    """Return how many more instances may be taken out of service now.

    Args:
        policy: the InstanceMaintenancePolicy of the group; none means no limit.
        desired: the group's desired capacity.
        being_replaced: how many replacements are not well yet, or not even launched.

    """
    if not policy:
        return desired
    kept = math.ceil(desired * int(str(policy["MinHealthyPercentage"])) / 100)
    return max(0, max(1, desired - kept) - being_replaced)
