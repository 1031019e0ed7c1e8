"""A terminated or stopped instance shuts down first.

moto: is `terminated` or `stopped` at once.
AWS: is `shutting-down` or `stopping` while the machine stops its services, then `terminated` or
`stopped`; what is still stopping cannot be started.
Why it matters: what a machine does at its end (leaving Rancher) would happen after its death, and
whoever asks EC2 meanwhile would hear of a dead instance that still talks.

Source: EC2 user guide, "Instance lifecycle"; API reference, "Error codes" for the refused start.
How long it takes is not said; a minute is usual for an end, less for a stop.
"""

import copy
import time
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import Instance

from lab.aws.moto_edge import patch
from lab.world import World

SHUTDOWN_S = 60.0
STOP_S = 30.0

_going: list[Instance] = []
"""The instances that are on their way down."""


def close(world: World) -> None:
    """Let TerminateInstances begin the shutdown only."""
    _going.clear()

    def terminate(self: Instance) -> Any:  # noqa: ANN401
        before = copy.copy(self._state)
        if self.state not in ("shutting-down", "terminated"):
            self._state.name, self._state.code = "shutting-down", 32
            self.lab_down_at = time.monotonic() + world.seconds(SHUTDOWN_S)
            _going.append(self)
        return before

    def stop(self: Instance) -> Any:  # noqa: ANN401
        before = copy.copy(self._state)
        if self.state == "running":
            self._state.name, self._state.code = "stopping", 64
            self.lab_down_at = time.monotonic() + world.seconds(STOP_S)
            _going.append(self)
        return before

    def start(self: Instance) -> Any:  # noqa: ANN401
        if self.state == "stopping":
            raise EC2ClientError(
                "IncorrectInstanceState",
                f"The instance '{self.id}' is not in a state from which it can be started.",
            )
        return start_at_once(self)

    end_at_once = patch(Instance, "terminate", terminate)
    start_at_once = patch(Instance, "start", start)

    def finish(self: Instance) -> None:
        end_at_once(self)
        self.lab_ended_at = time.monotonic()

    Instance.lab_end = finish
    Instance.lab_stop = patch(Instance, "stop", stop)


def end(instance: Instance) -> None:
    """End an instance at once, without a shutdown."""
    if instance.state != "terminated":
        instance.lab_end()


def end_what_is_due() -> None:
    """End and stop the instances whose shutdown is over."""
    now = time.monotonic()
    for instance in list(_going):
        if instance.lab_down_at > now:
            continue
        _going.remove(instance)
        if instance.state == "shutting-down":
            instance.lab_end()
        elif instance.state == "stopping":
            instance.lab_stop()
