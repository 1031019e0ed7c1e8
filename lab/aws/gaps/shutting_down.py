"""A terminated instance shuts down first.

moto: is `terminated` at once.
AWS: is `shutting-down` while the machine stops its services, then `terminated`.
Why it matters: what a machine does at its end (leaving Rancher) would happen after its death, and
whoever asks EC2 meanwhile would hear of a dead instance that still talks.

Source: EC2 user guide, "Instance lifecycle". How long it takes is not said; a minute is usual.
"""

import copy
import time
from typing import Any

from moto.ec2.models.instances import Instance

from lab.aws.moto_edge import Backends, patch
from lab.world import World

SHUTDOWN_S = 60.0
_CODE = 32


def close(world: World) -> None:
    """Let TerminateInstances begin the shutdown only."""

    def terminate(self: Instance) -> Any:  # noqa: ANN401
        before = copy.copy(self._state)
        if self.state not in ("shutting-down", "terminated"):
            self._state.name, self._state.code = "shutting-down", _CODE
            self.lab_gone_at = time.monotonic() + world.seconds(SHUTDOWN_S)
        return before

    Instance.lab_end = patch(Instance, "terminate", terminate)


def end(instance: Instance) -> None:
    """End an instance at once, without a shutdown."""
    if instance.state != "terminated":
        instance.lab_end()


def end_what_is_due(backends: Backends) -> None:
    """End the instances whose shutdown is over."""
    now = time.monotonic()
    for instance in backends.ec2.all_instances():
        if instance.state == "shutting-down" and instance.lab_gone_at <= now:
            instance.lab_end()
