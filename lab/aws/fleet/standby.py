"""Standby: an instance that belongs to its group and is left alone by it.

moto: changes the state whatever it was, and leaves the instance in the load balancer.
AWS: takes only what is in service, takes it out of the load balancer, checks its health no more,
and launches another one unless the group's size is lowered with it.
Why it matters: that is how operators stop a machine of a pool without losing it.

Source: Auto Scaling user guide, "Temporarily remove instances from your Auto Scaling group"; for
the errors' words aws-samples/aws-codedeploy-samples, issue 50.
"""

from collections.abc import Iterable
from typing import Any

from moto.autoscaling.exceptions import ValidationError

from lab.aws.fleet import activities
from lab.aws.fleet.groups import IN_SERVICE, STANDBY, Fleet
from lab.aws.fleet.launch import placed


def enter(
    fleet: Fleet,
    group: Any,  # noqa: ANN401
    instance_ids: Iterable[str],
    *,
    decrement: bool,
) -> list[activities.Activity]:
    """Move instances to standby; others take their places unless the size is lowered."""
    chosen = _chosen(group, instance_ids, IN_SERVICE)
    if decrement:
        fleet.check_size(group, group.desired_capacity - len(chosen))
        group.desired_capacity -= len(chosen)
    for state in chosen:
        state.lifecycle_state = STANDBY
        fleet.deregister(state.instance.id)
    fleet.settle(group)
    return [_note(group, "Moving EC2 instance to Standby", "to", state) for state in chosen]


def leave(
    fleet: Fleet,
    group: Any,  # noqa: ANN401
    instance_ids: Iterable[str],
) -> list[activities.Activity]:
    """Move instances back into service; the size is raised with them."""
    chosen = _chosen(group, instance_ids, STANDBY)
    fleet.check_size(group, group.desired_capacity + len(chosen))
    group.desired_capacity += len(chosen)
    for state in chosen:
        state.lifecycle_state = IN_SERVICE
        placed(state).clear()
    fleet.settle(group)
    return [_note(group, "Moving EC2 instance out of Standby", "out of", state) for state in chosen]


def _chosen(group: Any, instance_ids: Iterable[str], wanted: str) -> list[Any]:  # noqa: ANN401
    members = {state.instance.id: state for state in group.instance_states}
    chosen = []
    for instance_id in instance_ids:
        state = members.get(instance_id)
        if state is None:
            raise ValidationError(
                f"The instance {instance_id} is not part of Auto Scaling group {group.name}."
            )
        if state.lifecycle_state != wanted:
            raise ValidationError(f"The instance {instance_id} is not in {wanted}.")
        chosen.append(state)
    return chosen


def _note(group: Any, doing: str, way: str, state: Any) -> activities.Activity:  # noqa: ANN401
    why = f"instance {state.instance.id} was moved {way} standby in response to a user request"
    activity = activities.note(group, f"{doing}: {state.instance.id}", why)
    activity.done()
    return activity
