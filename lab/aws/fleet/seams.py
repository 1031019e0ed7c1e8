"""Where moto's Auto Scaling hands over to the fleet, and the actions that moto does not serve."""

from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import (
    AutoScalingBackend,
    FakeAutoScalingGroup,
    TerminateInstanceActivity,
)
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from lab.aws.fleet.activities import record_of
from lab.aws.fleet.groups import Fleet
from lab.aws.fleet.hooks import Action
from lab.aws.fleet.refresh import Refreshes
from lab.aws.gaps.policies import drop_all
from lab.aws.moto_edge import patch


def install(fleet: Fleet, refreshes: Refreshes) -> None:
    """Let the fleet decide about instances wherever moto would."""
    _hand_over_groups(fleet)
    _hand_over_sizes(fleet)
    _hand_over_terminations(fleet)
    _serve_activities()
    _serve_hooks(fleet)
    _serve_refreshes(refreshes)


def _hand_over_groups(fleet: Fleet) -> None:
    def create(self: AutoScalingBackend, **given: Any) -> FakeAutoScalingGroup:  # noqa: ANN401
        group = original_create(self, **given)
        if given.get("health_check_period") is not None:
            group.health_check_grace_period = int(given["health_check_period"])
        fleet.settle(group)
        return group

    def update(self: AutoScalingBackend, **given: Any) -> FakeAutoScalingGroup:  # noqa: ANN401
        group = original_update(self, **given)
        group.set_desired_capacity(max(group.min_size, min(group.max_size, group.desired_capacity)))
        return group

    def delete(self: AutoScalingBackend, group_name: str) -> None:
        group = _group(self, group_name)
        fleet.remove_group(group)
        drop_all(self, group_name)
        del self.autoscaling_groups[group_name]

    original_create = patch(AutoScalingBackend, "create_auto_scaling_group", create)
    original_update = patch(AutoScalingBackend, "update_auto_scaling_group", update)
    patch(AutoScalingBackend, "delete_auto_scaling_group", delete)


def _hand_over_sizes(fleet: Fleet) -> None:
    def set_capacity(self: FakeAutoScalingGroup, new_capacity: int | None) -> None:
        self.desired_capacity = self.min_size if new_capacity is None else new_capacity
        if self.name in self.autoscaling_backend.autoscaling_groups:
            fleet.settle(self)

    def set_desired(self: AutoScalingBackend, group_name: str, desired_capacity: int) -> None:
        group = _group(self, group_name)
        fleet.check_size(group, desired_capacity)
        group.set_desired_capacity(desired_capacity)

    patch(FakeAutoScalingGroup, "set_desired_capacity", set_capacity)
    patch(AutoScalingBackend, "set_desired_capacity", set_desired)
    patch(AutoScalingBackend, "update_attached_target_groups", lambda *_: None)


def _group(backend: AutoScalingBackend, name: str) -> Any:  # noqa: ANN401
    group = backend.autoscaling_groups.get(name)
    if group is None:
        raise ValidationError("AutoScalingGroup name not found - null")
    return group


def _hand_over_terminations(fleet: Fleet) -> None:
    def terminate(
        self: AutoScalingBackend,
        instance_id: str,
        should_decrement: bool,  # noqa: FBT001
    ) -> TerminateInstanceActivity:
        group, state = _find(self, instance_id)
        if should_decrement:
            fleet.check_size(group, group.desired_capacity - 1)
            group.desired_capacity -= 1
        fleet.terminate(group, state)
        fleet.settle(group)
        return record_of(group)[-1]

    # What was terminated through EC2 is found by the next health check, as on AWS.
    patch(AutoScalingBackend, "notify_terminate_instances", lambda *_: None)
    patch(AutoScalingBackend, "terminate_instance", terminate)


def _find(backend: AutoScalingBackend, instance_id: str) -> tuple[Any, Any]:
    for group in backend.autoscaling_groups.values():
        for state in group.active_instances():
            if state.instance.id == instance_id:
                return group, state
    raise ValidationError(
        f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
    )


def _serve_activities() -> None:
    def describe(self: AutoScalingResponse) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        groups = self.autoscaling_backend.describe_auto_scaling_groups([name] if name else [])
        wanted = self._get_param("ActivityIds", [])
        found = [
            activity
            for group in groups
            for activity in reversed(record_of(group))
            if not wanted or activity.activity_id in wanted
        ]
        return ActionResult({"Activities": found[: self._get_int_param("MaxRecords", 100)]})

    patch(AutoScalingResponse, "describe_scaling_activities", describe)


def _serve_hooks(fleet: Fleet) -> None:
    def named(self: AutoScalingResponse) -> Action:
        instance_id = self._get_param("InstanceId")
        action = fleet.hooks.find(
            self._get_param("LifecycleHookName"),
            self._get_param("AutoScalingGroupName"),
            instance_id,
            self._get_param("LifecycleActionToken"),
        )
        if action is None:
            raise ValidationError(
                f"No active Lifecycle Action found with instance ID {instance_id}"
            )
        return action

    def complete(self: AutoScalingResponse) -> ActionResult:
        fleet.complete(named(self), self._get_param("LifecycleActionResult"))
        return EmptyResult()

    def heartbeat(self: AutoScalingResponse) -> ActionResult:
        named(self).beat()
        return EmptyResult()

    patch(AutoScalingResponse, "complete_lifecycle_action", complete)
    patch(AutoScalingResponse, "record_lifecycle_action_heartbeat", heartbeat)


def _serve_refreshes(refreshes: Refreshes) -> None:
    def start(self: AutoScalingResponse) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        group = _group(self.autoscaling_backend, name)
        refresh = refreshes.start(group, self._get_param("Preferences", {}))
        return ActionResult({"InstanceRefreshId": refresh.instance_refresh_id})

    def cancel(self: AutoScalingResponse) -> ActionResult:
        refresh = refreshes.cancel(self._get_param("AutoScalingGroupName"))
        return ActionResult({"InstanceRefreshId": refresh.instance_refresh_id})

    def describe(self: AutoScalingResponse) -> ActionResult:
        wanted = self._get_param("InstanceRefreshIds", [])
        found = [
            refresh
            for refresh in refreshes.of(self._get_param("AutoScalingGroupName"))
            if not wanted or refresh.instance_refresh_id in wanted
        ]
        return ActionResult({"InstanceRefreshes": found})

    patch(AutoScalingResponse, "start_instance_refresh", start)
    patch(AutoScalingResponse, "cancel_instance_refresh", cancel)
    patch(AutoScalingResponse, "describe_instance_refreshes", describe)
