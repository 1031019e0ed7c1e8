"""Spot interruptions: two minutes' notice on the event bus, then the end.

EC2 takes back only what was launched as spot; here any running instance may be interrupted, so that
a pool without spot instances can play it as well. Not played: the notice in the metadata service.

Source: EC2 user guide, "Spot Instance interruption notices", which has the event's shape and says
that the warning comes two minutes before EC2 stops or terminates the instance.
"""

import time
from collections.abc import Callable

from lab.aws.fleet.events import announce
from lab.aws.moto_edge import Backends

NOTICE_S = 120.0


class Interruptions:
    """The instances that were given notice."""

    def __init__(self, backends: Backends, seconds: Callable[[float], float]) -> None:
        self._backends = backends
        self._seconds = seconds
        self._ends: dict[str, float] = {}

    def warn(self, instance_id: str) -> None:
        """Give an instance notice.

        Raises:
            LookupError: EC2 does not know it, or it does not run.

        """
        instance = self._backends.ec2.get_instance_by_id(instance_id)
        if instance is None or instance.state != "running":
            raise LookupError(f"EC2 has no running instance {instance_id}")
        announce(
            self._backends,
            "aws.ec2",
            "EC2 Spot Instance Interruption Warning",
            [f"arn:aws:ec2:{instance.placement.zone}:instance/{instance_id}"],
            {"instance-id": instance_id, "instance-action": "terminate"},
        )
        self._ends[instance_id] = time.monotonic() + self._seconds(NOTICE_S)

    def tick(self) -> None:
        """End the instances whose notice is over."""
        now = time.monotonic()
        due = [instance_id for instance_id, end in self._ends.items() if end <= now]
        for instance_id in due:
            del self._ends[instance_id]
            if self._backends.ec2.get_instance_by_id(instance_id) is not None:
                self._backends.ec2.terminate_instances([instance_id])
