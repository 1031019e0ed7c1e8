"""Pools of container hosts, and the three ways in which they scale."""

from typing import Annotated, Literal

from pydantic import Field

from corral.cluster.values import Cron, InstanceType, Name, Part, Percent, QueueName, TimeZone


class ScaleOnCpu(Part):
    """Keep the pool's mean CPU use at a target."""

    kind: Literal["cpu"]
    target_percent: int = Field(ge=10, le=90)


class ScaleOnQueue(Part):
    """Follow the depth of an SQS queue."""

    kind: Literal["queue"]
    queue_name: QueueName
    messages_per_host: int = Field(ge=1, description="How many waiting messages one host is worth.")


class ScheduledSize(Part):
    """A size from a time on."""

    name: Name
    cron: Cron = Field(description="Five fields, in the time zone.")
    desired: int = Field(ge=0)


class ScaleOnSchedule(Part):
    """Take a size at given times."""

    kind: Literal["schedule"]
    time_zone: TimeZone = "UTC"
    actions: tuple[ScheduledSize, ...] = Field(min_length=1)


Scaling = Annotated[ScaleOnCpu | ScaleOnQueue | ScaleOnSchedule, Field(discriminator="kind")]


class Pool(Part):
    """A group of container hosts that scale together and carry the same labels."""

    name: Name
    environment: Name = Field(description="Rancher environment that the hosts join.")
    role: Name = Field(description="Host label `role`, what services are placed by.")
    labels: dict[str, str] = Field(default_factory=dict, description="Further host labels.")
    instance_type: InstanceType
    volume_gib: int = Field(default=50, ge=8, le=16384)
    minimum: int = Field(ge=0)
    maximum: int = Field(ge=1)
    spot_percent: Percent = 0
    replace_at_once: int = Field(
        default=1, ge=1, description="Machines replaced at once when they shall start anew."
    )
    drain_timeout_s: int = Field(default=600, ge=30, le=7200)
    scaling: Scaling
