"""Scaling policies have their alarms.

moto: makes none for a target tracking policy and shows none with any policy.
AWS: makes, changes and deletes two for each target tracking policy, `TargetTracking-<group>-` and
`AlarmHigh` or `AlarmLow` with an id; shows with every policy the alarms that have it as an action;
takes a policy that is deleted out of other alarms' actions.
Why it matters: whoever asks what scales a pool, or what a deleted pool left behind, asks here.

Not played: the alarms of a policy that tracks metric math, and their states.

Source: Auto Scaling API reference, PutScalingPolicy, DeletePolicy and ScalingPolicy.Alarms; user
guide, "Target tracking scaling policies". The alarms' periods and thresholds are not written there;
they are those of accounts: above 40 for 3 minutes, below 28 for 15 minutes for a target of 40.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.autoscaling.models import FakeScalingPolicy
from moto.cloudwatch.models import cloudwatch_backends

from lab.aws.moto_edge import patch

_PREFIX = "TargetTracking-"
_LABELLED_GROUP = "/targetgroup/"
_PREDEFINED = {
    "ASGAverageCPUUtilization": ("AWS/EC2", "CPUUtilization", "Average"),
    "ASGAverageNetworkIn": ("AWS/EC2", "NetworkIn", "Average"),
    "ASGAverageNetworkOut": ("AWS/EC2", "NetworkOut", "Average"),
    "ALBRequestCountPerTarget": ("AWS/ApplicationELB", "RequestCountPerTarget", "Sum"),
}


@dataclass(frozen=True, slots=True)
class _Level:
    """One of the two alarms of a target."""

    name: str
    comparison: str
    minutes: int
    share: float
    """Of the target, where the alarm's threshold is."""


_LEVELS = (
    _Level("AlarmHigh", "GreaterThanThreshold", 3, 1.0),
    _Level("AlarmLow", "LessThanThreshold", 15, 0.7),
)


def close() -> None:
    """Show a policy's alarms with it."""

    def show(self: FakeScalingPolicy) -> list[dict[str, str]]:
        return [
            {"AlarmName": alarm.name, "AlarmARN": alarm.alarm_arn} for alarm in _alarms_of(self)
        ]

    patch(FakeScalingPolicy, "alarms", property(show))


def follow(policy: FakeScalingPolicy) -> None:
    """Make a policy's own alarms, or change them to what the policy says now."""
    metric = _metric(policy)
    own = [alarm.name for alarm in _alarms_of(policy) if alarm.name.startswith(_PREFIX)]
    if metric is None:
        _cloudwatch(policy).delete_alarms(own)
        return
    for level in _LEVELS:
        prefix = f"{_PREFIX}{policy.auto_scaling_group_name}-{level.name}-"
        name = next((known for known in own if known.startswith(prefix)), f"{prefix}{uuid.uuid4()}")
        _put(policy, level, name, metric)


def forget(policy: FakeScalingPolicy) -> None:
    """Delete a policy's own alarms, and take it out of the actions of others."""
    for alarm in _alarms_of(policy):
        if alarm.name.startswith(_PREFIX):
            _cloudwatch(policy).delete_alarms([alarm.name])
        alarm.alarm_actions = [action for action in alarm.alarm_actions if action != policy.arn]


def _cloudwatch(policy: FakeScalingPolicy) -> Any:  # noqa: ANN401
    backend = policy.autoscaling_backend
    return cloudwatch_backends[backend.account_id][backend.region_name]


def _alarms_of(policy: FakeScalingPolicy) -> list[Any]:
    known = list(_cloudwatch(policy).alarms.values())
    return [alarm for alarm in known if policy.arn in (alarm.alarm_actions or [])]


def _metric(policy: FakeScalingPolicy) -> dict[str, Any] | None:
    """Return the metric that a policy tracks; none if it tracks none, or metric math."""
    if policy.target_tracking_configuration is None:
        return None
    configuration = vars(policy.target_tracking_configuration)
    custom = configuration.get("CustomizedMetricSpecification") or {}
    if custom:
        return _custom(custom) if custom.get("MetricName") else None
    said = configuration["PredefinedMetricSpecification"]
    namespace, name, statistic = _PREDEFINED[said["PredefinedMetricType"]]
    dimension = {"Name": "AutoScalingGroupName", "Value": policy.auto_scaling_group_name}
    if said.get("ResourceLabel"):
        group = said["ResourceLabel"].partition(_LABELLED_GROUP)[2]
        dimension = {"Name": "TargetGroup", "Value": f"{_LABELLED_GROUP.strip('/')}/{group}"}
    return {
        "namespace": namespace,
        "metric_name": name,
        "statistic": statistic,
        "dimensions": [dimension],
    }


def _custom(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "namespace": said.get("Namespace"),
        "metric_name": said["MetricName"],
        "statistic": said.get("Statistic"),
        "dimensions": [dict(dimension) for dimension in said["Dimensions"]],
        "unit": said.get("Unit"),
    }


def _put(policy: FakeScalingPolicy, level: _Level, name: str, metric: Mapping[str, Any]) -> None:
    target = float(policy.target_tracking_configuration.TargetValue)
    _cloudwatch(policy).put_metric_alarm(
        name=name,
        comparison_operator=level.comparison,
        evaluation_periods=level.minutes,
        period=60,
        threshold=round(target * level.share, 6),
        description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}.",
        alarm_actions=[policy.arn],
        **metric,
    )
