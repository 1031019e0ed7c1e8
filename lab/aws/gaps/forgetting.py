"""EC2 forgets a terminated instance after about an hour.

moto: shows it for ever.
AWS: shows it "for a short time", in DescribeInstances about an hour; after that its id is unknown.
Why it matters: what is absent from EC2's list may be dead for long, or the list may be wrong.

A seeded herd's dead are kept until the lever says otherwise, so that measuring may take its time.

Source: EC2 user guide, "Terminate Amazon EC2 instances" ("remains visible in the console for a
short while"); an hour is what EC2's FAQ and DescribeInstances' reference say ("usually less than
one hour").
"""

import time
from collections.abc import Iterable
from typing import Any

from moto.ec2.models.instances import Instance

from lab.aws.moto_edge import Backends
from lab.world import World

VISIBLE_S = 3600.0


def forget_what_is_due(world: World, backends: Backends, instances: Iterable[Instance]) -> None:
    """Forget those of some instances that have been terminated for long enough."""
    latest = time.monotonic() - world.seconds(VISIBLE_S)
    for instance in instances:
        if instance.state == "terminated" and instance.lab_ended_at < latest:
            drop(backends, instance)


def forget(backends: Backends, instance_id: str) -> None:
    """Forget a terminated instance now.

    Raises:
        LookupError: EC2 does not know it, or it is not terminated.

    """
    instance = backends.ec2.get_instance_by_id(instance_id)
    if instance is None or instance.state != "terminated":
        raise LookupError(f"EC2 has no terminated instance {instance_id}")
    drop(backends, instance)


def drop(backends: Backends, instance: Any) -> None:  # noqa: ANN401
    """Take an instance out of its reservation, and the reservation along if it was the last."""
    reservations = backends.ec2.reservations
    for key, reservation in list(reservations.items()):
        if instance in reservation.instances:
            reservation.instances.remove(instance)
            if not reservation.instances:
                del reservations[key]
            return
