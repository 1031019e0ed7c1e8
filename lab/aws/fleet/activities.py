"""A group's record of what it did: DescribeScalingActivities.

moto: always an empty list.
AWS: every launch and termination for six weeks, newest first, with its cause and how it went.
Why it matters: the record of a termination is proof that an instance is dead after EC2 forgot it.

Source: Auto Scaling API reference, Activity.
"""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

WAITING = "MidTerminatingLifecycleAction"
DONE = "Successful"


@dataclass(slots=True)
class Activity:
    """One thing that a group did; the names are those that moto's serialiser looks for."""

    auto_scaling_group_name: str
    auto_scaling_group_arn: str
    description: str
    cause: str
    status_code: str = "InProgress"
    progress: int = 50
    details: str = "{}"
    activity_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    start_time: datetime = field(default_factory=lambda: datetime.now(UTC))
    end_time: datetime | None = None

    def done(self) -> None:
        """Note that it went well and is over."""
        self.status_code, self.progress, self.end_time = DONE, 100, datetime.now(UTC)


def record_of(group: Any) -> list[Activity]:  # noqa: ANN401
    """Return a group's activities, oldest first, to be read and added to."""
    activities: list[Activity] = group.__dict__.setdefault("lab_activities", [])
    return activities


def begin(group: Any, doing: str, instance_id: str, why: str) -> Activity:  # noqa: ANN401
    """Add a launch or a termination that has begun."""
    return note(group, f"{doing} EC2 instance: {instance_id}", why)


def note(group: Any, what: str, why: str) -> Activity:  # noqa: ANN401
    """Add an activity that has begun."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    activity = Activity(group.name, group.arn, what, f"At {now} {why}")
    record_of(group).append(activity)
    return activity
