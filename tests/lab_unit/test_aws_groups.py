"""Auto scaling groups: spreading, replacing, draining by hooks, refreshing, and their record."""

import json

import pytest
from aws_lab import AwsLab, eventually
from botocore.exceptions import ClientError

from lab.aws import SeededInstance

TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"


def hook(aws_lab: AwsLab, group: str, heartbeat_s: int = 3600) -> str:
    """Give a group a terminating hook whose events come to a queue; return the queue's URL."""
    aws_lab.client("autoscaling").put_lifecycle_hook(
        AutoScalingGroupName=group,
        LifecycleHookName="drain",
        LifecycleTransition=TERMINATING,
        HeartbeatTimeout=heartbeat_s,
        DefaultResult="CONTINUE",
        NotificationMetadata="pool",
    )
    sqs, events = aws_lab.client("sqs"), aws_lab.client("events")
    queue_url = sqs.create_queue(QueueName=f"{group}-terminations")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    pattern = {
        "source": ["aws.autoscaling"],
        "detail-type": ["EC2 Instance-terminate Lifecycle Action"],
        "detail": {"AutoScalingGroupName": [group]},
    }
    events.put_rule(Name=group, EventPattern=json.dumps(pattern))
    events.put_targets(
        Rule=group, Targets=[{"Id": "queue", "Arn": attributes["Attributes"]["QueueArn"]}]
    )
    return queue_url


def events_in(aws_lab: AwsLab, queue_url: str) -> list[dict]:
    received = aws_lab.client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in received.get("Messages", [])]


def test_instances_are_spread_over_the_zones_with_what_the_template_says(aws_lab):
    aws_lab.group("spread", 4, Tags=[{"Key": "Pool", "Value": "web", "PropagateAtLaunch": True}])

    found = aws_lab.client("ec2").describe_instances(InstanceIds=list(aws_lab.members("spread")))
    instances = [one for each in found["Reservations"] for one in each["Instances"]]
    zones = [one["Placement"]["AvailabilityZone"] for one in instances]
    assert sorted(zones) == ["us-east-1a", "us-east-1a", "us-east-1b", "us-east-1b"]
    assert len(found["Reservations"]) == 4
    assert {one["MetadataOptions"]["HttpTokens"] for one in instances} == {"required"}
    tags = {tag["Key"]: tag["Value"] for tag in instances[0]["Tags"]}
    assert (tags["Pool"], tags["aws:autoscaling:groupName"]) == ("web", "spread")


def test_a_size_outside_the_bounds_is_refused(aws_lab):
    aws_lab.group("bounded", 1)
    scaling = aws_lab.client("autoscaling")

    with pytest.raises(ClientError, match="above max value 10"):
        scaling.set_desired_capacity(AutoScalingGroupName="bounded", DesiredCapacity=11)


def test_raising_the_minimum_launches_what_is_missing(aws_lab):
    aws_lab.group("raised", 1)
    aws_lab.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="raised", MinSize=3, DesiredCapacity=3
    )

    assert list(aws_lab.members("raised").values()) == ["InService"] * 3


def test_a_terminated_instance_is_replaced_and_stays_visible(aws_lab):
    aws_lab.group("replaced", 2)
    before = aws_lab.members("replaced")
    victim = next(iter(before))
    aws_lab.client("ec2").terminate_instances(InstanceIds=[victim])

    eventually(lambda: victim not in aws_lab.members("replaced"))
    assert len(aws_lab.members("replaced")) == 2
    eventually(lambda: aws_lab.instance_state(victim) == "terminated")


def test_scaling_in_without_a_hook_terminates_at_once(aws_lab):
    aws_lab.group("plain", 2)
    scaling = aws_lab.client("autoscaling")
    before = set(aws_lab.members("plain"))
    scaling.set_desired_capacity(AutoScalingGroupName="plain", DesiredCapacity=1)

    (victim,) = before - set(aws_lab.members("plain"))
    eventually(lambda: aws_lab.instance_state(victim) == "terminated")


def test_a_hook_holds_the_instance_until_its_action_is_completed(aws_lab):
    aws_lab.group("held", 2)
    queue_url = hook(aws_lab, "held")
    scaling = aws_lab.client("autoscaling")
    scaling.set_desired_capacity(AutoScalingGroupName="held", DesiredCapacity=1)

    states = aws_lab.members("held")
    (waiting,) = [one for one, state in states.items() if state == "Terminating:Wait"]
    (event,) = events_in(aws_lab, queue_url)
    detail = event["detail"]
    assert aws_lab.instance_state(waiting) == "running"
    assert (event["source"], event["account"]) == ("aws.autoscaling", "123456789012")
    assert event["detail-type"] == "EC2 Instance-terminate Lifecycle Action"
    assert (detail["EC2InstanceId"], detail["LifecycleTransition"]) == (waiting, TERMINATING)
    assert (detail["Origin"], detail["Destination"]) == ("AutoScalingGroup", "EC2")
    assert detail["NotificationMetadata"] == "pool"

    scaling.complete_lifecycle_action(
        AutoScalingGroupName="held",
        LifecycleHookName=detail["LifecycleHookName"],
        LifecycleActionToken=detail["LifecycleActionToken"],
        LifecycleActionResult="CONTINUE",
    )
    assert waiting not in aws_lab.members("held")
    eventually(lambda: aws_lab.instance_state(waiting) == "terminated")
    with pytest.raises(ClientError, match="No active Lifecycle Action found"):
        scaling.record_lifecycle_action_heartbeat(
            AutoScalingGroupName="held", LifecycleHookName="drain", InstanceId=waiting
        )


def test_a_hook_that_nobody_answers_times_out(aws_lab):
    aws_lab.group("timed-out", 1)
    hook(aws_lab, "timed-out", heartbeat_s=60)
    aws_lab.client("autoscaling").set_desired_capacity(
        AutoScalingGroupName="timed-out", DesiredCapacity=0
    )

    assert list(aws_lab.members("timed-out").values()) == ["Terminating:Wait"]
    eventually(lambda: not aws_lab.members("timed-out"))


def test_heartbeats_extend_the_wait(aws_lab):
    aws_lab.group("beating", 1)
    hook(aws_lab, "beating", heartbeat_s=60)
    scaling = aws_lab.client("autoscaling")
    (instance_id,) = aws_lab.members("beating")
    scaling.set_desired_capacity(AutoScalingGroupName="beating", DesiredCapacity=0)
    action = aws_lab.aws._fleet.hooks.find("drain", "beating", instance_id, None)
    before = action.ends
    scaling.record_lifecycle_action_heartbeat(
        AutoScalingGroupName="beating", LifecycleHookName="drain", InstanceId=instance_id
    )

    assert action.ends > before


def test_a_crash_is_heard_by_no_hook_and_replaced(aws_lab):
    aws_lab.group("crashed", 1)
    queue_url = hook(aws_lab, "crashed")
    (victim,) = aws_lab.members("crashed")
    aws_lab.aws.crash(victim)

    assert aws_lab.instance_state(victim) == "terminated"
    eventually(lambda: list(aws_lab.members("crashed").values()) == ["InService"])
    assert victim not in aws_lab.members("crashed")
    assert events_in(aws_lab, queue_url) == []


def test_an_instance_marked_unhealthy_is_replaced(aws_lab):
    aws_lab.group("marked", 1)
    (victim,) = aws_lab.members("marked")
    aws_lab.client("autoscaling").set_instance_health(InstanceId=victim, HealthStatus="Unhealthy")

    eventually(lambda: victim not in aws_lab.members("marked"))


def test_terminating_in_the_group_lowers_its_size_if_asked(aws_lab):
    aws_lab.group("lowered", 2)
    victim = next(iter(aws_lab.members("lowered")))
    answer = aws_lab.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=victim, ShouldDecrementDesiredCapacity=True
    )

    assert victim in answer["Activity"]["Description"]
    assert len(aws_lab.members("lowered")) == 1


def test_the_record_of_a_termination_stays(aws_lab):
    aws_lab.group("recorded", 1)
    (victim,) = aws_lab.members("recorded")
    scaling = aws_lab.client("autoscaling")
    scaling.set_desired_capacity(AutoScalingGroupName="recorded", DesiredCapacity=0)

    activities = scaling.describe_scaling_activities(AutoScalingGroupName="recorded")["Activities"]
    assert activities[0]["Description"] == f"Terminating EC2 instance: {victim}"
    assert activities[0]["StatusCode"] == "Successful"
    assert activities[-1]["Description"] == f"Launching a new EC2 instance: {victim}"


def test_a_deleted_group_takes_its_instances_along_whatever_hooks_say(aws_lab):
    aws_lab.group("deleted", 2)
    hook(aws_lab, "deleted")
    members = aws_lab.members("deleted")
    aws_lab.client("autoscaling").delete_auto_scaling_group(
        AutoScalingGroupName="deleted", ForceDelete=True
    )

    for instance_id in members:
        eventually(lambda gone=instance_id: aws_lab.instance_state(gone) == "terminated")


def test_a_refresh_replaces_every_instance_one_after_the_other(aws_lab):
    aws_lab.group("refreshed", 2)
    before = set(aws_lab.members("refreshed"))
    scaling = aws_lab.client("autoscaling")
    scaling.start_instance_refresh(
        AutoScalingGroupName="refreshed", Preferences={"InstanceWarmup": 10}
    )
    with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
        scaling.start_instance_refresh(AutoScalingGroupName="refreshed")

    def refresh() -> dict:
        return scaling.describe_instance_refreshes(AutoScalingGroupName="refreshed")[
            "InstanceRefreshes"
        ][0]

    eventually(lambda: refresh()["Status"] == "Successful")
    assert refresh()["PercentageComplete"] == 100
    assert not before & set(aws_lab.members("refreshed"))
    assert len(aws_lab.members("refreshed")) == 2


def test_a_seeded_herd_is_known_to_ec2_and_boots_nothing(aws_lab):
    herd = [SeededInstance(f"i-0000{n:013x}", f"10.200.1.{n}", n < 30) for n in range(35)]
    aws_lab.aws.seed_herd(herd, {"Pool": "seeded"})

    filters = [{"Name": "tag:Pool", "Values": ["seeded"]}]
    found = aws_lab.client("ec2").describe_instances(Filters=filters)["Reservations"]
    states = [each["Instances"][0]["State"]["Name"] for each in found]
    assert states == ["running"] * 30 + ["terminated"] * 5
    assert found[0]["Instances"][0]["PrivateIpAddress"] == "10.200.1.0"
    assert not {one.id for one in aws_lab.aws.instances()} & {one.id for one in herd}
