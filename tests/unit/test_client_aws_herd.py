"""What the AWS client makes of EC2's, Auto Scaling's and SQS's answers, canned ones."""

from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import ANY, Stubber

from corral.clients.aws import Ec2, Groups, LifecycleQueue, Message
from corral.domain.herd import Instance
from corral.domain.lifecycle import Termination
from corral.errors import (
    AccessDeniedError,
    AwsError,
    AwsUnavailableError,
    CredentialsError,
    PrerequisiteError,
)

LAUNCHED = datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC)
ACTION = Termination("blue-web", "drain", "i-1", "5d2b7f2e-0000-4000-8000-000000000000", LAUNCHED)
URL = "https://sqs.us-east-1.amazonaws.com/123456789012/blue-web-terminations"
MESSAGE = Message("m-1", "receipt-1", "{}", 1)


@pytest.fixture(scope="module")
def session() -> Iterator[boto3.Session]:
    """One for all: it reads AWS's models only once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        yield boto3.Session("lab", "lab", region_name="us-east-1")


def stubbed(client: object) -> Iterator[tuple[object, Stubber]]:
    with Stubber(client._client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


@pytest.fixture
def ec2(session):
    yield from stubbed(Ec2(session))


@pytest.fixture
def groups(session):
    yield from stubbed(Groups(session))


@pytest.fixture
def queue(session):
    client = LifecycleQueue(session, "blue-web-terminations")
    for client_and_stub in stubbed(client):
        client_and_stub[1].add_response(
            "get_queue_url", {"QueueUrl": URL}, {"QueueName": "blue-web-terminations"}
        )
        yield client_and_stub


def row(number: int, **more: object) -> dict:
    """Return an instance as EC2 lists it. Source: EC2 API reference, Instance."""
    return {
        "InstanceId": f"i-{number}",
        "State": {"Code": 16, "Name": "running"},
        "LaunchTime": LAUNCHED,
        "PrivateIpAddress": f"10.0.0.{number}",
        "VpcId": "vpc-1",
        "PrivateDnsName": f"ip-10-0-0-{number}.ec2.internal",
        "Tags": [{"Key": "Cluster", "Value": "blue"}, {"Key": "Pool", "Value": "web"}],
    } | more


def page(*rows: dict, token: str | None = None) -> dict:
    content = {"Reservations": [{"Instances": [one]} for one in rows]}
    return content | ({"NextToken": token} if token else {})


def test_every_instance_is_read_in_pages_of_the_largest_size(ec2):
    client, stub = ec2
    stub.add_response("describe_instances", page(row(1), token="t"), {"MaxResults": 1000})
    stub.add_response(
        "describe_instances",
        page(row(2, InstanceLifecycle="spot")),
        {"MaxResults": 1000, "NextToken": "t"},
    )

    one, other = client.list()

    assert one == Instance(
        id="i-1",
        state="running",
        launched=LAUNCHED,
        private_ip="10.0.0.1",
        private_dns="ip-10-0-0-1.ec2.internal",
        cluster="blue",
        pool="web",
        vpc_id="vpc-1",
    )
    assert (other.id, other.is_spot) == ("i-2", True)


def test_a_dead_instance_has_neither_address_nor_tags(ec2):
    client, stub = ec2
    dead = {"InstanceId": "i-1", "State": {"Name": "terminated"}, "LaunchTime": LAUNCHED}
    stub.add_response("describe_instances", page(dead))

    assert client.list() == [Instance("i-1", "terminated", LAUNCHED)]


def test_an_instance_that_is_listed_twice_is_one_in_its_later_state(ec2):
    client, stub = ec2
    stub.add_response("describe_instances", page(row(1), token="t"))
    stub.add_response("describe_instances", page(row(1, State={"Name": "stopping"})))

    assert [(one.id, one.state) for one in client.list()] == [("i-1", "stopping")]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param({}, "is this EC2", id="something else"),
        pytest.param(page({"State": {"Name": "running"}}), "without id", id="no id"),
        pytest.param(page({"InstanceId": "i-1", "LaunchTime": LAUNCHED}), "State", id="no state"),
        pytest.param(
            page({"InstanceId": "i-1", "State": {"Name": "running"}}), "LaunchTime", id="no launch"
        ),
    ],
)
def test_a_page_that_makes_no_sense_is_an_error_and_not_a_short_list(ec2, answer, said):
    client, stub = ec2
    stub.add_response("describe_instances", page(row(1), token="t"))
    stub.add_response("describe_instances", answer)

    with pytest.raises(AwsError, match=said):
        client.list()


def test_pages_in_a_circle_are_an_error(ec2):
    client, stub = ec2
    stub.add_response("describe_instances", page(row(1), token="t"))
    stub.add_response("describe_instances", page(row(2), token="t"))

    with pytest.raises(AwsError, match="token was received twice"):
        client.list()


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("RequestLimitExceeded", 503, AwsUnavailableError),
        ("InternalError", 500, AwsUnavailableError),
        ("AuthFailure", 401, CredentialsError),
        ("RequestExpired", 400, CredentialsError),
        ("UnauthorizedOperation", 403, AccessDeniedError),
        ("InvalidParameterValue", 400, AwsError),
    ],
)
def test_a_later_page_that_fails_fails_the_list(ec2, code, status, kind):
    client, stub = ec2
    stub.add_response("describe_instances", page(row(1), token="t"))
    stub.add_client_error("describe_instances", code, http_status_code=status)

    with pytest.raises(kind) as caught:
        client.list()

    assert type(caught.value) is kind


def test_instances_are_found_by_a_filter_some_at_a_time(ec2):
    client, stub = ec2
    ids = [f"i-{number:03}" for number in range(250)]
    for some in (ids[:200], ids[200:]):
        stub.add_response(
            "describe_instances",
            page(row(0, InstanceId=some[0])),
            {"Filters": [{"Name": "instance-id", "Values": some}]},
        )

    assert list(client.find([*ids, ids[0]])) == ["i-000", "i-200"]


def test_what_was_not_asked_for_is_no_answer(ec2):
    client, stub = ec2
    stub.add_response("describe_instances", page(row(1), row(2)))

    assert list(client.find(["i-2"])) == ["i-2"]


def test_asking_for_nothing_asks_nobody(ec2, groups):
    assert ec2[0].find([]) == {}
    assert groups[0].lifecycle_states([]) == {}
    assert groups[0].terminations(["blue-web"], []) == {}


def activity(instance_id: str, status: str = "Successful", **more: object) -> dict:
    """Return one entry of a group's log. Source: Auto Scaling API reference, Activity."""
    return {
        "ActivityId": "a",
        "AutoScalingGroupName": "blue-web",
        "Description": f"Terminating EC2 instance: {instance_id}",
        "Cause": "At 2026-11-02T03:00:00Z an instance was taken out of service in response to an"
        " EC2 health check indicating it has been terminated or stopped.",
        "StartTime": LAUNCHED,
        "EndTime": LAUNCHED,
        "StatusCode": status,
    } | more


def test_a_groups_log_proves_that_it_ended_an_instance(groups):
    client, stub = groups
    stub.add_response(
        "describe_scaling_activities",
        {"Activities": [activity("i-9"), activity("i-1")]},
        {"AutoScalingGroupName": "blue-web", "IncludeDeletedGroups": True, "MaxRecords": 100},
    )

    found = client.terminations(["blue-web"], ["i-1"])

    assert list(found) == ["i-1"]
    assert found["i-1"].startswith(
        "the group blue-web terminated it at 2026-11-02 03:04:05 UTC: At 2026-11-02T03:00:00Z"
    )


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"StatusCode": "InProgress"}, id="going on"),
        pytest.param({"StatusCode": "MidLifecycleAction"}, id="waiting for a hook"),
        pytest.param({"StatusCode": "Failed"}, id="failed"),
        pytest.param({"Description": "Launching a new EC2 instance: i-1"}, id="a launch"),
        pytest.param({"Description": "Detaching EC2 instance: i-1"}, id="a detachment"),
        pytest.param({"Description": "Terminating EC2 instance: i-11"}, id="a longer id"),
    ],
)
def test_anything_else_in_a_log_proves_nothing(groups, more):
    client, stub = groups
    stub.add_response("describe_scaling_activities", {"Activities": [activity("i-1", **more)]})

    assert client.terminations(["blue-web"], ["i-1"]) == {}


def test_a_note_behind_the_id_does_no_harm(groups):
    client, stub = groups
    noted = "Terminating EC2 instance: i-1 - Waiting For ELB Connection Draining."
    stub.add_response(
        "describe_scaling_activities", {"Activities": [activity("i-1", Description=noted)]}
    )

    assert list(client.terminations(["blue-web"], ["i-1"])) == ["i-1"]


def test_groups_are_asked_until_every_instance_is_found(groups):
    client, stub = groups
    stub.add_response(
        "describe_scaling_activities", {"Activities": [activity("i-1")], "NextToken": "more"}
    )

    assert list(client.terminations(["blue-web", "blue-batch"][::-1], ["i-1"])) == ["i-1"]


def test_a_long_log_is_read_page_by_page_but_not_for_ever(groups):
    client, stub = groups
    for number in range(10):
        stub.add_response(
            "describe_scaling_activities",
            {"Activities": [activity("i-9")] * 100, "NextToken": f"t{number}"},
        )

    assert client.terminations(["blue-web"], ["i-1"]) == {}


def test_a_group_that_does_not_exist_knows_nothing(groups):
    client, stub = groups
    stub.add_client_error("describe_scaling_activities", "ValidationError", "name not found")
    stub.add_response("describe_scaling_activities", {"Activities": [activity("i-1")]})

    assert list(client.terminations(["blue-gone", "blue-web"], ["i-1"])) == ["i-1"]


def test_a_log_that_cannot_be_read_is_an_error(groups):
    client, stub = groups
    stub.add_client_error("describe_scaling_activities", "Throttling", http_status_code=400)

    with pytest.raises(AwsUnavailableError):
        client.terminations(["blue-web"], ["i-1"])


def group(name: str, members: dict[str, str]) -> dict[str, object]:
    """A group as Auto Scaling describes it, with the lifecycle state of each member."""
    return {
        "AutoScalingGroupName": name,
        "MinSize": 0,
        "MaxSize": 9,
        "DesiredCapacity": len(members),
        "DefaultCooldown": 300,
        "AvailabilityZones": ["us-east-1a"],
        "HealthCheckType": "EC2",
        "CreatedTime": datetime(2026, 11, 1, tzinfo=UTC),
        "Instances": [
            {
                "InstanceId": instance_id,
                "AvailabilityZone": "us-east-1a",
                "LifecycleState": state,
                "HealthStatus": "Healthy",
                "ProtectedFromScaleIn": False,
            }
            for instance_id, state in members.items()
        ],
    }


def test_of_the_members_of_groups_those_that_neither_come_nor_go_are_told_page_by_page(groups):
    client, stub = groups
    names = ["blue-batch", "blue-web"]
    web = group("blue-web", {"i-1": "InService", "i-2": "Terminating:Wait", "i-3": "Pending"})
    batch = group("blue-batch", {"i-4": "InService", "i-5": "Standby"})
    question = {"AutoScalingGroupNames": names}
    stub.add_response(
        "describe_auto_scaling_groups",
        {"AutoScalingGroups": [web], "NextToken": "more"},
        question,
    )
    stub.add_response(
        "describe_auto_scaling_groups",
        {"AutoScalingGroups": [batch]},
        {**question, "NextToken": "more"},
    )

    assert client.members_of(names) == {
        "i-1": "blue-web",
        "i-4": "blue-batch",
        "i-5": "blue-batch",
    }


def test_without_groups_nobody_is_asked_for_members(groups):
    client, _ = groups

    assert client.members_of([]) == {}


def test_lifecycle_states_are_asked_fifty_at_a_time(groups):
    client, stub = groups
    ids = [f"i-{number:03}" for number in range(60)]
    for some in (ids[:50], ids[50:]):
        stub.add_response(
            "describe_auto_scaling_instances",
            {
                "AutoScalingInstances": [
                    {
                        "InstanceId": instance_id,
                        "AutoScalingGroupName": "blue-web",
                        "AvailabilityZone": "us-east-1a",
                        "LifecycleState": "Terminating:Wait",
                        "HealthStatus": "HEALTHY",
                        "ProtectedFromScaleIn": False,
                    }
                    for instance_id in (some[0], "i-other")
                ]
            },
            {"InstanceIds": some},
        )

    assert client.lifecycle_states(ids) == {
        "i-000": ("blue-web", "Terminating:Wait"),
        "i-050": ("blue-web", "Terminating:Wait"),
    }


def test_an_action_is_completed_by_its_token(groups):
    client, stub = groups
    expected = {
        "AutoScalingGroupName": "blue-web",
        "LifecycleHookName": "drain",
        "LifecycleActionToken": ACTION.token,
        "InstanceId": "i-1",
    }
    stub.add_response(
        "complete_lifecycle_action", {}, {**expected, "LifecycleActionResult": "CONTINUE"}
    )
    stub.add_response("record_lifecycle_action_heartbeat", {}, expected)

    assert client.complete(ACTION)
    assert client.heartbeat(ACTION)


def test_an_action_that_is_over_is_waited_for_by_nobody(groups):
    client, stub = groups
    over = "No active Lifecycle Action found with instance ID i-1"
    stub.add_client_error("complete_lifecycle_action", "ValidationError", over)
    stub.add_client_error("record_lifecycle_action_heartbeat", "ValidationError", over)

    assert not client.complete(ACTION)
    assert not client.heartbeat(ACTION)


def test_an_action_that_may_not_be_completed_is_an_error(groups):
    client, stub = groups
    stub.add_client_error("complete_lifecycle_action", "AccessDenied", http_status_code=403)

    with pytest.raises(AccessDeniedError, match="autoscaling:CompleteLifecycleAction"):
        client.complete(ACTION)


def test_messages_are_waited_for_and_say_how_often_they_came(queue):
    client, stub = queue
    stub.add_response(
        "receive_message",
        {
            "Messages": [
                {
                    "MessageId": "m-1",
                    "ReceiptHandle": "receipt-1",
                    "Body": "{}",
                    "Attributes": {"ApproximateReceiveCount": "3"},
                }
            ]
        },
        {
            "QueueUrl": URL,
            "WaitTimeSeconds": 20,
            "MaxNumberOfMessages": 10,
            "MessageSystemAttributeNames": ["ApproximateReceiveCount"],
        },
    )

    assert client.receive(60) == [Message("m-1", "receipt-1", "{}", 3)]


def test_an_empty_queue_gives_nothing(queue):
    client, stub = queue
    stub.add_response(
        "receive_message",
        {},
        {
            **dict.fromkeys(("QueueUrl", "MessageSystemAttributeNames"), ANY),
            "WaitTimeSeconds": 1,
            "MaxNumberOfMessages": 1,
        },
    )

    assert client.receive(0.2, most=1) == []


def test_a_message_is_kept_or_taken_out_by_its_receipt(queue):
    client, stub = queue
    stub.add_response(
        "change_message_visibility",
        {},
        {"QueueUrl": URL, "ReceiptHandle": "receipt-1", "VisibilityTimeout": 31},
    )
    stub.add_response("delete_message", {}, {"QueueUrl": URL, "ReceiptHandle": "receipt-1"})

    client.extend(MESSAGE, 30.5)
    client.delete(MESSAGE)


def test_a_queues_depth_counts_what_is_on_loan(queue):
    client, stub = queue
    stub.add_response(
        "get_queue_attributes",
        {
            "Attributes": {
                "ApproximateNumberOfMessages": "2",
                "ApproximateNumberOfMessagesNotVisible": "3",
                "ApproximateNumberOfMessagesDelayed": "0",
            }
        },
    )

    assert client.exists()
    assert client.depth() == 5


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"])
def test_a_queue_that_is_not_there_is_no_error_until_it_is_used(session, code):
    for client, stub in stubbed(LifecycleQueue(session, "blue-web-terminations")):
        stub.add_client_error("get_queue_url", code, http_status_code=400)
        stub.add_client_error("get_queue_url", code, http_status_code=400)

        assert not client.exists()
        with pytest.raises(PrerequisiteError, match="no queue blue-web-terminations"):
            client.receive(0)


def test_a_queue_that_vanishes_is_told_as_missing(queue):
    client, stub = queue
    stub.add_client_error("receive_message", "QueueDoesNotExist", http_status_code=400)

    with pytest.raises(PrerequisiteError, match="no queue blue-web-terminations"):
        client.receive(0)


def test_a_queue_that_may_not_be_read_is_an_error(session):
    for client, stub in stubbed(LifecycleQueue(session, "blue-web-terminations")):
        stub.add_client_error("get_queue_url", "AccessDenied", http_status_code=403)

        with pytest.raises(AccessDeniedError, match="sqs:GetQueueUrl"):
            client.exists()
