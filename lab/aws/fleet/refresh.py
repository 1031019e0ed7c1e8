"""StartInstanceRefresh: a rolling replacement, one instance after the other.

moto: the action is not served.
AWS: replaces instances in batches within the minimum healthy percentage, waits for each replacement
to be healthy and warm, and ends `Successful`, `Failed` or `Cancelled`.

Source: Auto Scaling API reference, StartInstanceRefresh, DescribeInstanceRefreshes.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError

from lab.aws.fleet.groups import Fleet

_OPEN = ("Pending", "InProgress", "Cancelling")
_WHY = "an instance was taken out of service in response to an instance refresh"


def _in_progress() -> Exception:
    error: Exception = AutoscalingClientError(
        "InstanceRefreshInProgress",
        "An Instance Refresh is already in progress and blocks the execution of this"
        " Instance Refresh.",
    )
    return error


def _not_found() -> Exception:
    error: Exception = AutoscalingClientError(
        "ActiveInstanceRefreshNotFound",
        "No in progress or pending Instance Refresh found for Auto Scaling group.",
    )
    return error


@dataclass(slots=True)
class Refresh:
    """One rolling replacement; the names are those that moto's serialiser looks for."""

    auto_scaling_group_name: str
    preferences: dict[str, Any]
    old: list[str]
    instance_refresh_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    start_time: datetime = field(default_factory=lambda: datetime.now(UTC))
    end_time: datetime | None = None
    total: int = 0
    warm_at: float = 0.0

    def __post_init__(self) -> None:
        """Remember how many there were."""
        self.total = len(self.old)

    @property
    def instances_to_update(self) -> int:
        """Return how many instances are still to be replaced."""
        return len(self.old)

    @property
    def percentage_complete(self) -> int:
        """Return how much of the work is done."""
        return 100 if not self.total else 100 * (self.total - len(self.old)) // self.total

    def end(self, status: str) -> None:
        """Close it."""
        self.status, self.end_time = status, datetime.now(UTC)


class Refreshes:
    """The instance refreshes of all groups, newest first in each."""

    def __init__(self, fleet: Fleet, seconds: Callable[[float], float]) -> None:
        self._fleet = fleet
        self._seconds = seconds
        self._of: dict[str, list[Refresh]] = {}

    def start(self, group: Any, preferences: dict[str, Any]) -> Refresh:  # noqa: ANN401
        """Begin to replace what the group has now."""
        if self.active(group.name):
            raise _in_progress()
        old = [state.instance.id for state in group.active_instances()]
        refresh = Refresh(group.name, preferences, old)
        self._of.setdefault(group.name, []).insert(0, refresh)
        return refresh

    def cancel(self, group_name: str) -> Refresh:
        """Stop replacing; what is replaced stays so."""
        refresh = self.active(group_name)
        if refresh is None:
            raise _not_found()
        refresh.end("Cancelled")
        return refresh

    def of(self, group_name: str) -> list[Refresh]:
        """Return the refreshes of a group, newest first."""
        return self._of.get(group_name, [])

    def active(self, group_name: str) -> Refresh | None:
        """Return the refresh that is under way."""
        return next((one for one in self.of(group_name) if one.status in _OPEN), None)

    def tick(self, groups: dict[str, Any]) -> None:
        """Replace the next instance where the last replacement is healthy and warm."""
        for name in self._of:
            refresh, group = self.active(name), groups.get(name)
            if refresh is not None and group is not None:
                self._advance(refresh, group)

    def _advance(self, refresh: Refresh, group: Any) -> None:  # noqa: ANN401
        states = {state.instance.id: state for state in group.active_instances()}
        if not self._fleet.is_well(group) or time.monotonic() < refresh.warm_at:
            return
        refresh.old = [instance_id for instance_id in refresh.old if instance_id in states]
        if not refresh.old:
            refresh.end("Successful")
            return
        self._fleet.terminate(group, states[refresh.old.pop(0)], _WHY)
        warm_s = float(
            refresh.preferences.get("InstanceWarmup") or group.health_check_grace_period or 0
        )
        refresh.warm_at = time.monotonic() + self._seconds(warm_s)
