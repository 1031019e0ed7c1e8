"""Scaling policies and the alarms that go with them."""

from aws_lab import AwsLab


def track_cpu(aws_lab: AwsLab, group: str, target: float) -> dict:
    predefined = {"PredefinedMetricType": "ASGAverageCPUUtilization"}
    return aws_lab.client("autoscaling").put_scaling_policy(
        AutoScalingGroupName=group,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": predefined,
            "TargetValue": target,
        },
    )


def alarms(aws_lab: AwsLab, prefix: str) -> list[dict]:
    return aws_lab.client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]


def shown(aws_lab: AwsLab, group: str) -> set[str]:
    """Return the names of the alarms that DescribePolicies shows with a group's policies."""
    found = aws_lab.client("autoscaling").describe_policies(AutoScalingGroupName=group)
    return {one["AlarmName"] for policy in found["ScalingPolicies"] for one in policy["Alarms"]}


def step(aws_lab: AwsLab, group: str, alarm: str) -> None:
    """Make a step policy, and an alarm of one's own that calls it."""
    policy = aws_lab.client("autoscaling").put_scaling_policy(
        AutoScalingGroupName=group,
        PolicyName="out",
        PolicyType="StepScaling",
        AdjustmentType="ChangeInCapacity",
        StepAdjustments=[{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
    )
    aws_lab.client("cloudwatch").put_metric_alarm(
        AlarmName=alarm,
        AlarmActions=[policy["PolicyARN"]],
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "jobs"}],
        Statistic="Average",
        ComparisonOperator="GreaterThanThreshold",
        Threshold=100,
        Period=60,
        EvaluationPeriods=2,
    )


def test_a_tracked_target_has_an_alarm_above_and_one_below(aws_lab):
    aws_lab.group("tracked", 0)
    made = track_cpu(aws_lab, "tracked", 60.0)

    low, high = sorted(alarms(aws_lab, "TargetTracking-tracked-"), key=lambda one: one["Threshold"])
    assert high["AlarmName"].startswith("TargetTracking-tracked-AlarmHigh-")
    assert low["AlarmName"].startswith("TargetTracking-tracked-AlarmLow-")
    assert (high["ComparisonOperator"], high["Threshold"], high["EvaluationPeriods"]) == (
        "GreaterThanThreshold",
        60.0,
        3,
    )
    assert (low["ComparisonOperator"], low["Threshold"], low["EvaluationPeriods"]) == (
        "LessThanThreshold",
        42.0,
        15,
    )
    for alarm in (low, high):
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/EC2", "CPUUtilization")
        assert alarm["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": "tracked"}]
        assert alarm["AlarmActions"] == [made["PolicyARN"]]
    names = {low["AlarmName"], high["AlarmName"]}
    assert {one["AlarmName"] for one in made["Alarms"]} == names
    assert shown(aws_lab, "tracked") == names


def test_a_changed_target_changes_its_alarms_and_makes_no_others(aws_lab):
    aws_lab.group("changed", 0)
    before = {one["AlarmName"] for one in track_cpu(aws_lab, "changed", 50.0)["Alarms"]}
    track_cpu(aws_lab, "changed", 80.0)

    after = alarms(aws_lab, "TargetTracking-changed-")
    assert {one["AlarmName"] for one in after} == before
    assert sorted(one["Threshold"] for one in after) == [56.0, 80.0]


def test_alarms_of_a_target_go_with_the_policy_and_with_the_group(aws_lab):
    scaling = aws_lab.client("autoscaling")
    aws_lab.group("ended", 0)
    track_cpu(aws_lab, "ended", 50.0)
    scaling.delete_policy(AutoScalingGroupName="ended", PolicyName="cpu")
    assert alarms(aws_lab, "TargetTracking-ended-") == []

    track_cpu(aws_lab, "ended", 50.0)
    scaling.delete_auto_scaling_group(AutoScalingGroupName="ended")
    assert alarms(aws_lab, "TargetTracking-ended-") == []
    assert scaling.describe_policies(AutoScalingGroupName="ended")["ScalingPolicies"] == []


def test_a_step_policy_shows_the_alarms_that_call_it_and_leaves_them_when_it_goes(aws_lab):
    aws_lab.group("stepped", 0)
    step(aws_lab, "stepped", "jobs-wait")
    assert shown(aws_lab, "stepped") == {"jobs-wait"}

    aws_lab.client("autoscaling").delete_policy(AutoScalingGroupName="stepped", PolicyName="out")
    (alarm,) = alarms(aws_lab, "jobs-wait")
    assert alarm["AlarmActions"] == []


def test_alarms_of_a_metric_of_ones_own_have_its_dimensions(aws_lab):
    aws_lab.group("own", 0)
    metric = {
        "Namespace": "Jobs",
        "MetricName": "PerHost",
        "Dimensions": [{"Name": "Queue", "Value": "jobs"}],
        "Statistic": "Average",
    }
    aws_lab.client("autoscaling").put_scaling_policy(
        AutoScalingGroupName="own",
        PolicyName="jobs",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "CustomizedMetricSpecification": metric,
            "TargetValue": 10.0,
        },
    )

    found = alarms(aws_lab, "TargetTracking-own-")
    assert len(found) == 2
    assert all(metric.items() <= alarm.items() for alarm in found)
