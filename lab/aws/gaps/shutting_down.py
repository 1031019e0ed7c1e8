"""A terminated or stopped instance shuts down first.

moto: is `terminated` or `stopped` at once.
AWS: is `shutting-down` or `stopping` until the machine has powered off, then `terminated` or
`stopped`; a machine that takes too long is switched off. What is still stopping cannot be started.
Why it matters: what a machine does at its end (leaving Rancher) would happen after its death, and
whoever asks EC2 meanwhile would hear of a dead instance that still talks.

Source: EC2 user guide, "Instance lifecycle", and "Troubleshoot instance termination" for machines
whose shutdown takes longer; API reference, StopInstances ("within the timeout period", whose length
is not said), and "Error codes" for the refused start.
"""

import copy
import time
from collections.abc import Mapping
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import Instance

from lab.aws.gaps.network_endings import end_interfaces
from lab.aws.moto_edge import patch
from lab.world import World

SHUTDOWN_S = 60.0
STOP_S = 30.0
"""How long the end of an instance without a machine takes. Assumed: what is usual."""
LIMIT_S = 300.0
"""How long a machine may take to shut down before it is switched off. Assumed: a few minutes."""
OWN_S = 15.0
"""What it may take beyond that, in seconds that are not the lab's: the programs that run at its end
begin at the speed of the computer that the lab is on."""

_going: dict[str, Instance] = {}
"""The instances that are on their way down, by their id."""


def close(world: World) -> None:
    """Let TerminateInstances begin the shutdown only."""
    _going.clear()

    def terminate(self: Instance) -> Any:  # noqa: ANN401
        before = copy.copy(self._state)
        if self.state not in ("shutting-down", "terminated"):
            _begin(world, self, "shutting-down", 32, SHUTDOWN_S)
        return before

    def stop(self: Instance) -> Any:  # noqa: ANN401
        before = copy.copy(self._state)
        if self.state == "running":
            _begin(world, self, "stopping", 64, STOP_S)
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
        end_interfaces(self)
        self.lab_ended_at = time.monotonic()

    Instance.lab_end = finish
    Instance.lab_stop = patch(Instance, "stop", stop)


def _begin(world: World, instance: Instance, state: str, code: int, usual_s: float) -> None:
    now = time.monotonic()
    instance._state.name, instance._state.code = state, code  # noqa: SLF001 - moto has no other way
    instance.lab_down_at = now + world.seconds(usual_s)
    instance.lab_limit_at = now + world.seconds(LIMIT_S) + OWN_S
    _going[instance.id] = instance


def end(instance: Instance) -> None:
    """End an instance at once, without a shutdown."""
    if instance.state != "terminated":
        instance.lab_end()


def end_what_is_due(power: Mapping[str, bool]) -> None:
    """End and stop the instances whose shutdown is over.

    Args:
        power: Whether an instance's machine has power; those without a machine are not in it.

    """
    now = time.monotonic()
    for instance in [one for one in _going.values() if _is_down(one, power.get(one.id), now)]:
        del _going[instance.id]
        if instance.state == "shutting-down":
            instance.lab_end()
        elif instance.state == "stopping":
            instance.lab_stop()


def _is_down(instance: Instance, has_power: bool | None, now: float) -> bool:  # noqa: FBT001
    if has_power is None:
        return bool(instance.lab_down_at <= now)
    return not has_power or bool(instance.lab_limit_at <= now)
