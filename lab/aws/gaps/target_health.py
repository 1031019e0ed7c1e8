"""Targets have the health that the load balancer found, and drain before they are gone.

moto: every registered target is `healthy` at once and for ever; one taken out is gone at once.
AWS: `initial` until the first checks are through, `unused` while no listener forwards to the group,
then `healthy` or `unhealthy` with the reason of the last check; one taken out is `draining` for the
deregistration delay and stays in the list meanwhile.
Why it matters: a health gate could never fail.

Source: Elastic Load Balancing API reference, TargetHealth (states, reasons and their sentences).
"""

import time
from dataclasses import dataclass
from typing import Any

from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeTargetGroup

from lab.aws.moto_edge import patch
from lab.world import World


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """The state of one target and what the load balancer says about it."""

    state: str
    reason: str | None = None
    description: str | None = None


HEALTHY = TargetHealth("healthy")
INITIAL = TargetHealth("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
NOT_IN_USE = TargetHealth(
    "unused",
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
STOPPED = TargetHealth("unused", "Target.InvalidState", "Target is in the stopped state")
NOT_REGISTERED = TargetHealth(
    "unused", "Target.NotRegistered", "Target is not registered to the target group"
)
DRAINING = TargetHealth(
    "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"
)


def found(group: FakeTargetGroup) -> dict[str, TargetHealth]:
    """Return what the checks found for a group's targets, to be read and written."""
    checked: dict[str, TargetHealth] = group.__dict__.setdefault("lab_health", {})
    return checked


def health_of(group: FakeTargetGroup, target_id: str, ec2: Any) -> TargetHealth:  # noqa: ANN401
    """Return the health that DescribeTargetHealth shows for a target."""
    if target_id not in group.targets:
        return DRAINING if target_id in _draining(group) else NOT_REGISTERED
    instance = ec2.get_instance_by_id(target_id)
    if instance is not None and instance.state != "running":
        return STOPPED
    if not group.load_balancer_arns:
        return NOT_IN_USE
    return found(group).get(target_id, INITIAL)


def _draining(group: FakeTargetGroup) -> dict[str, float]:
    """Return until when each target taken out drains; what is through is forgotten."""
    ends: dict[str, float] = group.__dict__.setdefault("lab_draining", {})
    for target_id in [target_id for target_id, end in ends.items() if end < time.monotonic()]:
        del ends[target_id]
    return ends


def close(world: World) -> None:
    """Answer what the balancer found, and let targets drain for the lab's length of the delay."""

    def leave(group: FakeTargetGroup, target_id: str) -> None:
        delay_s = float(group.attributes["deregistration_delay.timeout_seconds"])
        found(group).pop(target_id, None)
        _draining(group)[target_id] = time.monotonic() + world.seconds(delay_s)

    def register(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
        for target in targets:
            _draining(self).pop(target["Id"], None)
        original_register(self, targets)

    def deregister(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
        original_deregister(self, targets)
        for target in targets:
            leave(self, target["Id"])

    def drop_terminated(self: FakeTargetGroup, instance_ids: list[str]) -> None:
        for target_id in self.targets.keys() & set(instance_ids):
            del self.targets[target_id]
            leave(self, target_id)

    original_register = patch(FakeTargetGroup, "register", register)
    original_deregister = patch(FakeTargetGroup, "deregister", deregister)
    patch(FakeTargetGroup, "deregister_terminated_instances", drop_terminated)
    patch(ELBv2Backend, "describe_target_health", _describe)


def _describe(
    self: ELBv2Backend, target_group_arn: str, targets: list[dict[str, Any]]
) -> list[FakeHealthStatus]:
    group = self.describe_target_groups(None, [target_group_arn], None)[0]
    shown = targets or [{"Id": target_id} for target_id in [*group.targets, *_draining(group)]]
    return [_status_of(group, target, self.ec2_backend) for target in shown]


def _status_of(
    group: FakeTargetGroup,
    target: dict[str, Any],
    ec2: Any,  # noqa: ANN401
) -> FakeHealthStatus:
    """Return a target's health in moto's form."""
    known = group.targets.get(target["Id"], target)
    health = health_of(group, target["Id"], ec2)
    return FakeHealthStatus(
        target["Id"],
        known.get("Port", group.port),
        group.health_check_port,
        health.state,
        health.reason,
        health.description,
    )
