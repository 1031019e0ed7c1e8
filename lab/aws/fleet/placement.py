"""Where the next instance of a group goes and what it is; pure."""

import math
from collections.abc import Mapping, Sequence


def emptiest(subnets: Sequence[str], used: Sequence[str]) -> str:
    """Return the subnet with the fewest of the group's instances, the first of equals."""
    return min(subnets, key=used.count)


def next_is_spot(policy: Mapping[str, object] | None, on_demand: int, spot: int) -> bool:
    """Say whether a group's next instance is a spot one.

    Args:
        policy: the InstancesDistribution of the group; none means on-demand only.
        on_demand: how many on-demand instances the group has.
        spot: how many spot instances it has.

    """
    if not policy:
        return False
    base = int(str(policy.get("OnDemandBaseCapacity") or 0))
    percent = int(str(policy.get("OnDemandPercentageAboveBaseCapacity", 100)))
    above_base = max(0, on_demand + spot + 1 - base)
    wanted = min(base, on_demand + spot + 1) + math.ceil(above_base * percent / 100)
    return on_demand >= wanted
