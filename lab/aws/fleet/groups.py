"""Keeps every group at its size: launches, drains, replaces. All of it with moto's lock held."""

from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.exceptions import ValidationError

from lab.aws.fleet import activities
from lab.aws.fleet.hooks import Action, Hooks
from lab.aws.fleet.launch import launch, placed
from lab.aws.fleet.maintenance import room
from lab.aws.fleet.processes import (
    ADD_TO_LOAD_BALANCER,
    HEALTH_CHECK,
    LAUNCH,
    REPLACE_UNHEALTHY,
    TERMINATE,
    goes_on,
)
from lab.aws.gaps.target_health import health_of
from lab.aws.moto_edge import Backends
from lab.world import World

IN_SERVICE = "InService"
STANDBY = "Standby"
WAIT = "Terminating:Wait"
_ASKED = "an instance was taken out of service in response to a user request"
_SCALED_IN = (
    "an instance was taken out of service in response to a difference between desired and actual"
    " capacity"
)
_NOT_RUNNING = (
    "an instance was taken out of service in response to an EC2 health check"
    " indicating it has been terminated or stopped"
)
_UNHEALTHY = (
    "an instance was taken out of service in response to an ELB system health check failure"
)
_MARKED = "an instance was taken out of service in response to a user health-check"
_GROWN = "an instance was started in response to a difference between desired and actual capacity"


class Fleet:
    """What Auto Scaling does by itself with the groups that moto keeps."""

    def __init__(self, world: World, backends: Backends) -> None:
        self._world = world
        self._backends = backends
        self.hooks = Hooks(backends, world.seconds)
        self.buried: list[Any] = []
        """Groups that were deleted, for their record."""

    def tick(self) -> None:
        """Take every group one step towards what it should be."""
        self.hooks.expire()
        for group in list(self._backends.autoscaling.autoscaling_groups.values()):
            self._proceed(group)
            self._weed(group)
            self.settle(group)

    def settle(self, group: Any) -> None:  # noqa: ANN401
        """Launch what is missing, begin to terminate what is too much."""
        in_service = group.active_instances()
        wanted = group.desired_capacity or 0
        if goes_on(group, LAUNCH):
            for _ in range(wanted - len(in_service)):
                state = launch(group)
                activities.begin(group, "Launching a new", state.instance.id, _GROWN).done()
        if goes_on(group, TERMINATE):
            for state in self._surplus(group, len(in_service) - wanted):
                self.terminate(group, state, _SCALED_IN)
        if goes_on(group, ADD_TO_LOAD_BALANCER):
            self._register(group)

    def terminate(self, group: Any, state: Any, why: str = _ASKED) -> None:  # noqa: ANN401
        """Take one instance out of service: out of the load balancer, then by way of the hooks."""
        instance_id = state.instance.id
        activity = activities.begin(group, "Terminating", instance_id, why)
        state.lab_activity = activity
        self.deregister(instance_id)
        if self.hooks.begin(group, instance_id):
            state.lifecycle_state = WAIT
            activity.status_code = activities.WAITING
            return
        self._finish(group, state)

    def drop(self, instance_id: str) -> None:
        """Strike a crashed instance from its group: it died without a word, so no hook hears it."""
        for group in self._backends.autoscaling.autoscaling_groups.values():
            for state in [
                known for known in group.instance_states if known.instance.id == instance_id
            ]:
                state.lab_activity = activities.begin(
                    group, "Terminating", instance_id, _NOT_RUNNING
                )
                self.deregister(instance_id)
                self._finish(group, state)

    def deregister(self, instance_id: str) -> None:
        """Take an instance out of the load balancers."""
        self._backends.elbv2.notify_terminate_instances([instance_id])

    def is_well(self, group: Any) -> bool:  # noqa: ANN401
        """Say whether a group is at its size and the load balancer finds all of it healthy."""
        in_service = group.active_instances()
        return len(in_service) == (group.desired_capacity or 0) and all(
            self._is_healthy(group, state) for state in in_service
        )

    def complete(self, action: Action, result: str) -> None:
        """End one lifecycle action and go on with its instance."""
        self.hooks.complete(action, result)
        group = self._backends.autoscaling.autoscaling_groups[action.hook.auto_scaling_group_name]
        self._proceed(group)

    def remove_group(self, group: Any) -> None:  # noqa: ANN401
        """Terminate all that a group has without asking hooks, as a forced deletion does."""
        group.desired_capacity = 0
        for state in list(group.instance_states):
            self.hooks.forget(state.instance.id)
            self.deregister(state.instance.id)
            state.lab_activity = activities.begin(
                group, "Terminating", state.instance.id, _SCALED_IN
            )
            self._finish(group, state)

    def check_size(self, group: Any, desired: int) -> None:  # noqa: ANN401
        """Refuse a desired capacity outside the group's bounds, with AWS's words.

        Raises:
            ValidationError: as AWS answers it, with status 400.

        """
        for word, bound, wrong in (
            ("above max", group.max_size, desired > group.max_size),
            ("below min", group.min_size, desired < group.min_size),
        ):
            if wrong:
                raise ValidationError(
                    f"New SetDesiredCapacity value {desired} is {word} value {bound}"
                    " for the AutoScalingGroup."
                )

    def _proceed(self, group: Any) -> None:  # noqa: ANN401
        """Terminate what waited and waits no more."""
        for state in list(group.instance_states):
            if state.lifecycle_state == WAIT and not self.hooks.waiting(state.instance.id):
                self._finish(group, state)

    def _finish(self, group: Any, state: Any) -> None:  # noqa: ANN401
        if self._backends.ec2.get_instance_by_id(state.instance.id) is not None:
            self._backends.ec2.terminate_instances([state.instance.id])
        group.instance_states.remove(state)
        self.hooks.forget(state.instance.id)
        state.lab_activity.done()

    def _weed(self, group: Any) -> None:  # noqa: ANN401
        """Begin to terminate what is not running, not healthy, or marked unhealthy by somebody.

        Of what runs, only as many as the group's maintenance policy lets go at once.
        """
        left = self._room(group)
        for state in group.active_instances():
            why = self._ailment(group, state)
            if why is None:
                continue
            if why != _NOT_RUNNING:
                left -= 1
                if left < 0:
                    continue
            state.health_status = "Unhealthy"
            if goes_on(group, REPLACE_UNHEALTHY, TERMINATE):
                self.terminate(group, state, why)

    def _room(self, group: Any) -> int:  # noqa: ANN401
        in_service = group.active_instances()
        desired = group.desired_capacity or 0
        starting = [
            state
            for state in in_service
            if state.health_status != "Unhealthy"
            and self._is_young(group, state)
            and not self._is_healthy(group, state)
        ]
        missing = max(0, desired - len(in_service))
        policy = getattr(group, "instance_maintenance_policy", None)
        return room(policy, desired, missing + len(starting))

    def _is_healthy(self, group: Any, state: Any) -> bool:  # noqa: ANN401
        return all(
            health_of(target_group, state.instance.id, self._backends.ec2).state == "healthy"
            for target_group in self._target_groups(group)
        )

    def _ailment(self, group: Any, state: Any) -> str | None:  # noqa: ANN401
        """Say what is wrong with an instance.

        An instance that does not run is replaced at once; what the load balancer finds counts only
        after the grace period, which begins when the instance comes into service.
        """
        if state.health_status == "Unhealthy" and state.instance.state == "running":
            return _MARKED
        if not goes_on(group, HEALTH_CHECK):
            return None
        if state.instance.state != "running":
            return _NOT_RUNNING
        if group.health_check_type != "ELB" or self._is_young(group, state):
            return None
        found = [
            health_of(target_group, state.instance.id, self._backends.ec2).state
            for target_group in self._target_groups(group)
        ]
        return _UNHEALTHY if "unhealthy" in found else None

    def _is_young(self, group: Any, state: Any) -> bool:  # noqa: ANN401
        launched = state.instance.launch_time
        if launched.tzinfo is None:
            launched = launched.replace(tzinfo=UTC)
        age_s: float = (datetime.now(UTC) - launched).total_seconds()
        return age_s < self._world.seconds(float(group.health_check_grace_period or 0))

    def _target_groups(self, group: Any) -> list[Any]:  # noqa: ANN401
        known = self._backends.elbv2.target_groups
        return [known[arn] for arn in group.target_group_arns if arn in known]

    def _register(self, group: Any) -> None:  # noqa: ANN401
        """Put what is new into the load balancers; what somebody took out stays out."""
        for target_group in self._target_groups(group):
            for state in group.active_instances():
                known = placed(state)
                if target_group.arn not in known and state.instance.state == "running":
                    target_group.register([{"Id": state.instance.id, "Port": target_group.port}])
                    known.add(target_group.arn)

    @staticmethod
    def _surplus(group: Any, count: int) -> list[Any]:  # noqa: ANN401
        """Return what to scale in: from the fullest zone the oldest, never a protected one.

        Source: Auto Scaling user guide, default termination policy.
        """
        chosen: list[Any] = []
        left = [state for state in group.active_instances() if not state.protected_from_scale_in]
        while left and len(chosen) < count:
            zones = [state.availability_zone for state in left]
            victim = min(
                left,
                key=lambda state: (
                    -zones.count(state.availability_zone),
                    state.instance.launch_time,
                ),
            )
            left.remove(victim)
            chosen.append(victim)
        return chosen
