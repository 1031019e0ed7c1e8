"""Starts one instance of a group from its launch template."""

from typing import Any

from moto.autoscaling.models import ASG_NAME_TAG, FakeAutoScalingGroup, InstanceState

from lab.aws.fleet.placement import emptiest, next_is_spot
from lab.aws.gaps.launch_profiles import attach
from lab.aws.gaps.member_templates import remember

_DISTRIBUTION = "InstancesDistribution"


def _template_of(group: FakeAutoScalingGroup) -> Any:  # noqa: ANN401
    return group.ec2_launch_template.get_version(group.launch_template_version)


def _instance_type(group: FakeAutoScalingGroup) -> str:
    """Return the first type that a mixed instances policy names, else the template's."""
    policy = group.mixed_instances_policy or {}
    overrides = policy.get("LaunchTemplate", {}).get("Overrides") or [{}]
    named: str = overrides[0].get("InstanceType") or group.instance_type
    return named


def _subnet(group: FakeAutoScalingGroup) -> str:
    used = [state.instance.subnet_id for state in group.active_instances()]
    return emptiest(group.vpc_zone_identifier.split(","), used)


def _is_spot(group: FakeAutoScalingGroup) -> bool:
    policy = (group.mixed_instances_policy or {}).get(_DISTRIBUTION)
    kinds = [state.instance.lifecycle for state in group.active_instances()]
    return next_is_spot(policy, kinds.count(None), kinds.count("spot"))


def _instance(group: FakeAutoScalingGroup) -> Any:  # noqa: ANN401
    """Run one instance as the template says.

    moto's own way leaves out what a template says of metadata, monitoring and role, and counts as
    one reservation what AWS launches one by one; DescribeInstances pages by reservation there.
    """
    template = _template_of(group)
    data = template.data
    reservation = group.ec2_backend.run_instances(
        template.image_id,
        1,
        template.user_data,
        template.security_groups,
        instance_type=_instance_type(group),
        is_instance_type_default=False,
        tags={"instance": {**group.get_propagated_tags(), ASG_NAME_TAG: group.name}},
        launch_template={"LaunchTemplateId": template.template.id, "Version": template.number},
        subnet_id=_subnet(group),
        nics=[dict(nic) for nic in data.get("NetworkInterfaces", [])],
        metadata_options=data.get("MetadataOptions") or {},
        monitoring_state="enabled" if data.get("Monitoring", {}).get("Enabled") else "disabled",
        ebs_optimized=bool(data.get("EbsOptimized")),
        instance_market_options={"MarketType": "spot"} if _is_spot(group) else {},
    )
    return reservation.instances[0]


def launch(group: FakeAutoScalingGroup) -> InstanceState:
    """Start one instance and take it into the group, in service."""
    instance = _instance(group)
    attach(group.ec2_backend, _template_of(group).data.get("IamInstanceProfile"), [instance])
    instance.autoscaling_group = group
    state = InstanceState(
        instance, protected_from_scale_in=group.new_instances_protected_from_scale_in
    )
    remember(state, _template_of(group))
    group.instance_states.append(state)
    return state


def placed(state: InstanceState) -> set[str]:
    """Return the target groups that an instance's group has put it into, to be added to."""
    known: set[str] = state.__dict__.setdefault("lab_placed", set())
    return known
