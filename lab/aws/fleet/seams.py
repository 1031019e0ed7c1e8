"""Where moto's Auto Scaling hands over to the fleet, and the actions that moto does not serve."""

from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import (
    AutoScalingBackend,
    FakeAutoScalingGroup,
    TerminateInstanceActivity,
)
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from lab.aws.fleet import standby
from lab.aws.fleet.activities import record_of
from lab.aws.fleet.groups import IN_SERVICE, STANDBY, Fleet
from lab.aws.fleet.hooks import Action
from lab.aws.fleet.refresh import Refreshes
from lab.aws.gaps.policies import drop_all
from lab.aws.moto_edge import patch

_MOST_ACTIVITIES = 100
_MOST_INSTANCES = 50


class _GroupInUseError(AutoscalingClientError):  # type: ignore[misc]
    code = "ResourceInUse"
    message = (
        "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance"
        " request(s) still in the group."
    )


def install(fleet: Fleet, refreshes: Refreshes) -> None:
    """Let the fleet decide about instances wherever moto would."""
    _hand_over_groups(fleet)
    _hand_over_sizes(fleet)
    _hand_over_terminations(fleet)
    _serve_standby(fleet)
    _serve_activities(fleet)
    _serve_instances()
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

    def delete(self: AutoScalingResponse) -> EmptyResult:
        """Delete a group, which must have no instances, unless it is by force.

        Source: Auto Scaling API reference, DeleteAutoScalingGroup, ResourceInUse.
        """
        group_name = self._get_param("AutoScalingGroupName")
        group = _group(self.autoscaling_backend, group_name)
        if group.instance_states and not self._get_bool_param("ForceDelete"):
            raise _GroupInUseError
        self.autoscaling_backend.delete_auto_scaling_group(group_name)
        return EmptyResult()

    def bury(self: AutoScalingBackend, group_name: str) -> None:
        group = _group(self, group_name)
        fleet.remove_group(group)
        fleet.buried.append(group)
        drop_all(self, group_name)
        del self.autoscaling_groups[group_name]

    def suspend(self: AutoScalingBackend, group_name: str, scaling_processes: list[str]) -> None:
        original_suspend(self, _group(self, group_name).name, scaling_processes)

    original_suspend = patch(AutoScalingBackend, "suspend_processes", suspend)
    original_create = patch(AutoScalingBackend, "create_auto_scaling_group", create)
    original_update = patch(AutoScalingBackend, "update_auto_scaling_group", update)
    patch(AutoScalingBackend, "delete_auto_scaling_group", bury)
    patch(AutoScalingResponse, "delete_auto_scaling_group", delete)


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
        if should_decrement and state.lifecycle_state == IN_SERVICE:
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
        for state in group.instance_states:
            if state.instance.id == instance_id and state.lifecycle_state in (IN_SERVICE, STANDBY):
                return group, state
    raise ValidationError(
        f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
    )


def _serve_standby(fleet: Fleet) -> None:
    def enter(self: AutoScalingResponse) -> ActionResult:
        group = _group(self.autoscaling_backend, self._get_param("AutoScalingGroupName"))
        decrement = self._get_bool_param("ShouldDecrementDesiredCapacity")
        ids = self._get_param("InstanceIds", [])
        return ActionResult({"Activities": standby.enter(fleet, group, ids, decrement=decrement)})

    def leave(self: AutoScalingResponse) -> ActionResult:
        group = _group(self.autoscaling_backend, self._get_param("AutoScalingGroupName"))
        ids = self._get_param("InstanceIds", [])
        return ActionResult({"Activities": standby.leave(fleet, group, ids)})

    patch(AutoScalingResponse, "enter_standby", enter)
    patch(AutoScalingResponse, "exit_standby", leave)


def _serve_activities(fleet: Fleet) -> None:
    def describe(self: AutoScalingResponse) -> ActionResult:
        wanted = self._get_param("ActivityIds", [])
        found = [
            activity
            for group in _recorded(self, fleet)
            for activity in reversed(record_of(group))
            if not wanted or activity.activity_id in wanted
        ]
        found.sort(key=lambda activity: activity.start_time, reverse=True)
        return _page(self, "Activities", found, _MOST_ACTIVITIES)

    patch(AutoScalingResponse, "describe_scaling_activities", describe)


def _recorded(call: AutoScalingResponse, fleet: Fleet) -> list[Any]:
    """Return the groups whose activities are asked for, those that are gone only on demand."""
    groups = list(call.autoscaling_backend.autoscaling_groups.values())
    if call._get_bool_param("IncludeDeletedGroups"):  # noqa: SLF001 - moto's way to read
        groups += fleet.buried
    name = call._get_param("AutoScalingGroupName")  # noqa: SLF001
    return [group for group in groups if name in (None, group.name)]


def _serve_instances() -> None:
    """Answer no more instances than AWS does, and refuse to be asked for more.

    Source: Auto Scaling API reference, DescribeAutoScalingInstances.
    """

    def describe(self: AutoScalingResponse) -> ActionResult:
        ids = self._get_param("InstanceIds", [])
        if len(ids) > _MOST_INSTANCES:
            raise ValidationError(
                f"1 validation error detected: Value '{ids}' at 'instanceIds' failed to satisfy"
                " constraint: Member must have length less than or equal to 50"
            )
        found = self.autoscaling_backend.describe_auto_scaling_instances(ids)
        return _page(self, "AutoScalingInstances", found, _MOST_INSTANCES)

    patch(AutoScalingResponse, "describe_auto_scaling_instances", describe)


def _page(call: AutoScalingResponse, name: str, found: list[Any], most: int) -> ActionResult:
    """Answer one page; the token says how many were answered before."""
    size = min(call._get_int_param("MaxRecords") or most, most)  # noqa: SLF001
    begin = int(call._get_param("NextToken") or 0)  # noqa: SLF001
    end = begin + size
    answer: dict[str, Any] = {name: found[begin:end]}
    if len(found) > end:
        answer["NextToken"] = str(end)
    return ActionResult(answer)


def _serve_hooks(fleet: Fleet) -> None:
    def named(self: AutoScalingResponse) -> Action:
        instance_id, token = self._get_param("InstanceId"), self._get_param("LifecycleActionToken")
        action = fleet.hooks.find(
            self._get_param("LifecycleHookName"),
            self._get_param("AutoScalingGroupName"),
            instance_id,
            token,
        )
        if action is None:
            meant = f"token {token}" if token else f"instance ID {instance_id}"
            raise ValidationError(f"No active Lifecycle Action found with {meant}")
        return action

    def complete(self: AutoScalingResponse) -> ActionResult:
        fleet.complete(named(self), self._get_param("LifecycleActionResult"))
        return EmptyResult()

    def heartbeat(self: AutoScalingResponse) -> ActionResult:
        named(self).beat()
        return EmptyResult()

    def delete(self: AutoScalingBackend, as_name: str, name: str) -> None:
        delete_hook(self, as_name, name)
        fleet.hooks.drop(name, as_name)

    delete_hook = patch(AutoScalingBackend, "delete_lifecycle_hook", delete)
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
