"""The words for the health of services, stacks and environments. Pure.

cattle: ServiceDiscoveryServiceImpl.java (calculateServiceHealthState, calculateHealthState)
"""

from collections.abc import Iterable, Sequence
from typing import Final

from lab.rancher.states import GONE

HEALTHY: Final = "healthy"
INITIALIZING: Final = "initializing"
DEGRADED: Final = "degraded"
UNHEALTHY: Final = "unhealthy"

ACTIVE_SERVICE: Final = frozenset(
    {"activating", "active", "updating-active", "upgrading", "upgraded", "restarting"}
    | {"rolling-back", "canceling-upgrade", "canceled-upgrade", "finishing-upgrade"}
)
"""States of a service in which its health counts."""
ACTIVE_STACK: Final = frozenset({"activating", "active", "updating-active"})
"""The same for a stack: one that is `upgraded` keeps its environment from being healthy."""


def service_health(scale: int, running: Sequence[str]) -> str:
    """Return the health of a service by that of its containers which run."""
    if running.count(HEALTHY) >= scale:
        return HEALTHY
    if INITIALIZING in running:
        return INITIALIZING
    return DEGRADED if HEALTHY in running else UNHEALTHY


def overall_health(parts: Iterable[tuple[str, str]], active: frozenset[str]) -> str:
    """Return the health of a whole by state and health of its parts.

    What has no parts is healthy: a new stack is, before its services are made.
    """
    counted = [part for part in parts if part[0] not in GONE and part[0] != "removing"]
    healthy = [health for state, health in counted if state in active and health == HEALTHY]
    if len(healthy) == len(counted):
        return HEALTHY
    if any(health == INITIALIZING for _state, health in counted):
        return INITIALIZING
    return DEGRADED if healthy else UNHEALTHY
