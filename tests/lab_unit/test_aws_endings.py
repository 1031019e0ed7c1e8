"""How instances come to their end, or are kept from it: standby, suspension, interruption."""

import asyncio
import json

import pytest
from aws_lab import AwsLab, eventually
from botocore.exceptions import ClientError

from lab.aws import SeededInstance
from lab.aws.facade import TICK_S
from lab.aws.fleet.maintenance import room
from lab.aws.gaps import forgetting, shutting_down

CROWD = [f"i-0{number:016x}" for number in range(51)]


def activities(aws_lab: AwsLab, name: str, **more) -> list[str]:
    found = aws_lab.client("autoscaling").describe_scaling_activities(
        AutoScalingGroupName=name, **more
    )
    return [activity["Description"] for activity in found["Activities"]]


def knows(aws_lab: AwsLab, instance_id: str) -> bool:
    filters = [{"Name": "instance-id", "Values": [instance_id]}]
    return bool(aws_lab.client("ec2").describe_instances(Filters=filters)["Reservations"])


def put_in_standby(aws_lab: AwsLab, name: str, instance_id: str, *, decrement: bool) -> None:
    aws_lab.client("autoscaling").enter_standby(
        AutoScalingGroupName=name,
        InstanceIds=[instance_id],
        ShouldDecrementDesiredCapacity=decrement,
    )


def ticks(aws_lab: AwsLab) -> None:
    """Wait until the groups were looked after once more, at least."""
    aws_lab.run(asyncio.sleep(3 * TICK_S))


def test_an_instance_in_standby_may_be_stopped_and_stays_in_its_group(aws_lab):
    aws_lab.group("resting", 1)
    (instance_id,) = aws_lab.members("resting")

    put_in_standby(aws_lab, "resting", instance_id, decrement=True)
    aws_lab.client("ec2").stop_instances(InstanceIds=[instance_id])
    eventually(lambda: aws_lab.instance_state(instance_id) == "stopped")
    ticks(aws_lab)

    assert aws_lab.members("resting") == {instance_id: "Standby"}
    assert activities(aws_lab, "resting")[0] == f"Moving EC2 instance to Standby: {instance_id}"


def test_another_instance_takes_the_place_of_one_in_standby_if_the_size_stays(aws_lab):
    aws_lab.group("replacing", 1)
    (instance_id,) = aws_lab.members("replacing")

    put_in_standby(aws_lab, "replacing", instance_id, decrement=False)

    assert sorted(aws_lab.members("replacing").values()) == ["InService", "Standby"]


def test_leaving_standby_raises_the_size(aws_lab):
    aws_lab.group("returning", 1)
    (instance_id,) = aws_lab.members("returning")
    put_in_standby(aws_lab, "returning", instance_id, decrement=True)

    aws_lab.client("autoscaling").exit_standby(
        AutoScalingGroupName="returning", InstanceIds=[instance_id]
    )

    assert aws_lab.members("returning") == {instance_id: "InService"}


def test_only_what_is_in_service_may_go_to_standby(aws_lab):
    aws_lab.group("once", 1)
    (instance_id,) = aws_lab.members("once")
    put_in_standby(aws_lab, "once", instance_id, decrement=True)

    with pytest.raises(ClientError, match=f"The instance {instance_id} is not in InService"):
        put_in_standby(aws_lab, "once", instance_id, decrement=True)
    with pytest.raises(ClientError, match="is not part of Auto Scaling group once"):
        put_in_standby(aws_lab, "once", "i-0000000000000beef", decrement=True)


def suspend(aws_lab: AwsLab, name: str, *processes: str) -> None:
    aws_lab.client("autoscaling").suspend_processes(
        AutoScalingGroupName=name, ScalingProcesses=list(processes)
    )


def resume(aws_lab: AwsLab, name: str) -> None:
    aws_lab.client("autoscaling").resume_processes(AutoScalingGroupName=name)


@pytest.mark.parametrize("process", ["ReplaceUnhealthy", "HealthCheck", "Terminate"])
def test_a_stopped_instance_is_replaced_unless_that_is_suspended(aws_lab, process):
    name = f"suspended-{process.lower()}"
    aws_lab.group(name, 1)
    (instance_id,) = aws_lab.members(name)
    suspend(aws_lab, name, process)

    aws_lab.client("ec2").stop_instances(InstanceIds=[instance_id])
    eventually(lambda: aws_lab.instance_state(instance_id) == "stopped")
    ticks(aws_lab)
    assert aws_lab.members(name) == {instance_id: "InService"}

    resume(aws_lab, name)
    eventually(lambda: instance_id not in aws_lab.members(name))
    assert list(aws_lab.members(name).values()) == ["InService"]


def test_nothing_is_launched_while_launching_is_suspended(aws_lab):
    aws_lab.group("small", 1)
    suspend(aws_lab, "small", "Launch")
    aws_lab.client("autoscaling").set_desired_capacity(
        AutoScalingGroupName="small", DesiredCapacity=2
    )
    ticks(aws_lab)
    assert len(aws_lab.members("small")) == 1

    resume(aws_lab, "small")
    eventually(lambda: len(aws_lab.members("small")) == 2)


def test_nothing_is_scaled_in_while_terminating_is_suspended(aws_lab):
    aws_lab.group("large", 2)
    suspend(aws_lab, "large", "Terminate")
    aws_lab.client("autoscaling").set_desired_capacity(
        AutoScalingGroupName="large", DesiredCapacity=1
    )
    ticks(aws_lab)
    assert len(aws_lab.members("large")) == 2

    resume(aws_lab, "large")
    eventually(lambda: len(aws_lab.members("large")) == 1)


def test_a_stopping_instance_cannot_be_started_yet(aws_lab):
    aws_lab.group("stopping", 1)
    (instance_id,) = aws_lab.members("stopping")
    put_in_standby(aws_lab, "stopping", instance_id, decrement=True)
    aws_lab.aws.set_power(instance_id, on=True)
    ec2 = aws_lab.client("ec2")

    answer = ec2.stop_instances(InstanceIds=[instance_id])["StoppingInstances"][0]
    assert (answer["PreviousState"]["Name"], answer["CurrentState"]["Name"]) == (
        "running",
        "stopping",
    )
    with pytest.raises(ClientError, match="IncorrectInstanceState"):
        ec2.start_instances(InstanceIds=[instance_id])
    aws_lab.aws.set_power(instance_id, on=False)
    eventually(lambda: aws_lab.instance_state(instance_id) == "stopped")
    ec2.start_instances(InstanceIds=[instance_id])
    eventually(lambda: aws_lab.instance_state(instance_id) == "running")


def launch_with_a_machine(aws_lab: AwsLab) -> str:
    """Launch an instance of no group whose machine has power until a test says otherwise."""
    ec2 = aws_lab.client("ec2")
    image = ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    aws_lab.aws.set_power(made, on=True)
    return made


@pytest.mark.parametrize(
    ("call", "on_its_way", "usual_s", "at_last"),
    [
        ("terminate_instances", "shutting-down", shutting_down.SHUTDOWN_S, "terminated"),
        ("stop_instances", "stopping", shutting_down.STOP_S, "stopped"),
    ],
)
def test_an_instance_ends_when_its_machine_has_powered_off_however_long_that_takes(
    aws_lab, call, on_its_way, usual_s, at_last
):
    instance_id = launch_with_a_machine(aws_lab)

    getattr(aws_lab.client("ec2"), call)(InstanceIds=[instance_id])
    aws_lab.run(asyncio.sleep(aws_lab.world.seconds(usual_s) + 3 * TICK_S))
    assert aws_lab.instance_state(instance_id) == on_its_way

    aws_lab.aws.set_power(instance_id, on=False)
    eventually(lambda: aws_lab.instance_state(instance_id) == at_last)


@pytest.mark.parametrize(
    ("call", "at_last"), [("terminate_instances", "terminated"), ("stop_instances", "stopped")]
)
def test_a_machine_that_never_powers_off_is_given_up(aws_lab, monkeypatch, call, at_last):
    monkeypatch.setattr(shutting_down, "OWN_S", 0.0)
    instance_id = launch_with_a_machine(aws_lab)

    getattr(aws_lab.client("ec2"), call)(InstanceIds=[instance_id])

    eventually(lambda: aws_lab.instance_state(instance_id) == at_last, 10)


def test_a_stopping_instance_can_be_terminated(aws_lab):
    instance_id = launch_with_a_machine(aws_lab)
    ec2 = aws_lab.client("ec2")
    ec2.stop_instances(InstanceIds=[instance_id])

    ec2.terminate_instances(InstanceIds=[instance_id])

    assert aws_lab.instance_state(instance_id) == "shutting-down"
    aws_lab.aws.set_power(instance_id, on=False)
    eventually(lambda: aws_lab.instance_state(instance_id) == "terminated")


@pytest.mark.parametrize(
    ("policy", "desired", "being_replaced", "more"),
    [
        (None, 3, 0, 3),
        ({"MinHealthyPercentage": 66}, 3, 0, 1),
        ({"MinHealthyPercentage": 66}, 3, 1, 0),
        ({"MinHealthyPercentage": 66}, 5, 0, 1),
        ({"MinHealthyPercentage": 66}, 1, 0, 1),
        ({"MinHealthyPercentage": 66}, 1, 1, 0),
        ({"MinHealthyPercentage": 50}, 4, 1, 1),
    ],
)
def test_a_maintenance_policy_says_how_many_are_replaced_at_once(
    policy, desired, being_replaced, more
):
    assert room(policy, desired, being_replaced) == more


def test_of_a_group_whose_members_are_all_unhealthy_the_policys_share_stays(aws_lab):
    policy = {"MinHealthyPercentage": 66, "MaxHealthyPercentage": 100}
    vpc_id, subnets = aws_lab.network("10.43.0.0/16")
    target_group = aws_lab.client("elbv2").create_target_group(
        Name="failing", Protocol="HTTP", Port=8080, VpcId=vpc_id
    )["TargetGroups"][0]["TargetGroupArn"]
    aws_lab.group(
        "failing",
        3,
        InstanceMaintenancePolicy=policy,
        VPCZoneIdentifier=",".join(subnets),
        TargetGroupARNs=[target_group],
        HealthCheckGracePeriod=3600,
    )
    before = set(aws_lab.members("failing"))
    for instance_id in before:
        aws_lab.client("autoscaling").set_instance_health(
            InstanceId=instance_id, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False
        )

    eventually(lambda: set(aws_lab.members("failing")) != before)
    ticks(aws_lab)

    assert len(before & set(aws_lab.members("failing"))) == 2


def queue(aws_lab: AwsLab, name: str, **attributes: str) -> tuple[str, str]:
    """Make a queue; return its URL and ARN."""
    sqs = aws_lab.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, found["Attributes"]["QueueArn"]


def test_a_spot_interruption_is_told_two_minutes_before_the_end(aws_lab):
    aws_lab.group("spot", 1)
    (instance_id,) = aws_lab.members("spot")
    url, arn = queue(aws_lab, "spot-warnings")
    events = aws_lab.client("events")
    pattern = {
        "source": ["aws.ec2"],
        "detail-type": ["EC2 Spot Instance Interruption Warning"],
    }
    events.put_rule(Name="spot-warnings", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="spot-warnings", Targets=[{"Id": "queue", "Arn": arn}])

    aws_lab.aws.interrupt(instance_id)

    assert aws_lab.aws.instance(instance_id).state == "running"
    (message,) = aws_lab.client("sqs").receive_message(QueueUrl=url)["Messages"]
    event = json.loads(message["Body"])
    zone = aws_lab.aws.instance(instance_id).zone
    assert event["detail"] == {"instance-id": instance_id, "instance-action": "terminate"}
    assert event["resources"] == [f"arn:aws:ec2:{zone}:instance/{instance_id}"]
    assert (event["source"], event["account"], event["region"]) == (
        "aws.ec2",
        "123456789012",
        "us-east-1",
    )
    eventually(lambda: aws_lab.instance_state(instance_id) != "running")
    eventually(lambda: instance_id not in aws_lab.members("spot"))


def test_only_what_runs_can_be_interrupted(aws_lab):
    with pytest.raises(LookupError, match="no running instance i-0000000000000beef"):
        aws_lab.aws.interrupt("i-0000000000000beef")


def test_a_terminated_instance_is_forgotten_after_a_while(aws_lab, monkeypatch):
    aws_lab.group("forgotten", 1)
    (victim,) = aws_lab.members("forgotten")
    aws_lab.aws.crash(victim)
    assert knows(aws_lab, victim)

    # AWS takes an hour, of which a busy machine may let any part pass between two lines.
    monkeypatch.setattr(forgetting, "VISIBLE_S", 30.0)
    eventually(lambda: not knows(aws_lab, victim))
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        aws_lab.client("ec2").describe_instances(InstanceIds=[victim])
    assert f"Terminating EC2 instance: {victim}" in activities(aws_lab, "forgotten")


def test_a_terminated_instance_may_be_forgotten_at_once_and_no_other(aws_lab):
    dead, living = "i-0aaaaaaaaaaaaaaa1", "i-0aaaaaaaaaaaaaaa2"
    herd = [
        SeededInstance(dead, "10.201.1.1", alive=False),
        SeededInstance(living, "10.201.1.2", alive=True),
    ]
    aws_lab.aws.seed_herd(herd, {"Pool": "seeded"})

    aws_lab.aws.forget(dead)

    assert not knows(aws_lab, dead)
    with pytest.raises(LookupError, match=f"no terminated instance {living}"):
        aws_lab.aws.forget(living)
    assert knows(aws_lab, living)


def test_the_record_of_a_deleted_group_is_there_for_who_asks_for_it(aws_lab):
    aws_lab.group("buried", 1)
    (victim,) = aws_lab.members("buried")
    aws_lab.client("autoscaling").delete_auto_scaling_group(
        AutoScalingGroupName="buried", ForceDelete=True
    )

    assert activities(aws_lab, "buried") == []
    found = activities(aws_lab, "buried", IncludeDeletedGroups=True)
    assert found[0] == f"Terminating EC2 instance: {victim}"


def test_activities_come_in_pages_newest_first(aws_lab):
    aws_lab.group("paged", 3)
    scaling = aws_lab.client("autoscaling")
    aws_lab.client("autoscaling").set_desired_capacity(
        AutoScalingGroupName="paged", DesiredCapacity=0
    )

    pages = scaling.get_paginator("describe_scaling_activities").paginate(
        AutoScalingGroupName="paged", PaginationConfig={"PageSize": 4}
    )
    found = [[one["Description"].partition(" ")[0] for one in page["Activities"]] for page in pages]
    assert found == [["Terminating"] * 3 + ["Launching"], ["Launching"] * 2]


def test_instances_tell_their_group_and_state_fifty_at_a_time(aws_lab):
    aws_lab.group("asked", 1)
    (instance_id,) = aws_lab.members("asked")
    scaling = aws_lab.client("autoscaling")

    (found,) = scaling.describe_auto_scaling_instances(InstanceIds=[instance_id, *CROWD[:49]])[
        "AutoScalingInstances"
    ]
    assert (found["AutoScalingGroupName"], found["LifecycleState"]) == ("asked", "InService")
    with pytest.raises(ClientError, match="less than or equal to 50"):
        scaling.describe_auto_scaling_instances(InstanceIds=CROWD)


def test_an_action_that_is_over_is_refused_in_the_words_of_aws(aws_lab):
    aws_lab.group("over", 1)
    scaling = aws_lab.client("autoscaling")
    token = "f66c3d47-e602-4af0-8edd-d4e4d2fe4620"

    with pytest.raises(ClientError, match=f"No active Lifecycle Action found with token {token}"):
        scaling.complete_lifecycle_action(
            AutoScalingGroupName="over",
            LifecycleHookName="drain",
            LifecycleActionToken=token,
            LifecycleActionResult="CONTINUE",
        )


def test_a_message_that_is_never_deleted_ends_in_the_dead_letter_queue(aws_lab):
    sqs = aws_lab.client("sqs")
    failed_url, failed_arn = queue(aws_lab, "over-failed")
    policy = {"deadLetterTargetArn": failed_arn, "maxReceiveCount": "2"}
    url, _ = queue(aws_lab, "over", RedrivePolicy=json.dumps(policy), VisibilityTimeout="0")
    sqs.send_message(QueueUrl=url, MessageBody="nobody can read this")

    def received() -> list[str]:
        answer = sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])
        messages = answer.get("Messages", [])
        return [message["Attributes"]["ApproximateReceiveCount"] for message in messages]

    assert [received(), received(), received()] == [["1"], ["2"], []]
    (dead,) = sqs.receive_message(QueueUrl=failed_url)["Messages"]
    assert dead["Body"] == "nobody can read this"
