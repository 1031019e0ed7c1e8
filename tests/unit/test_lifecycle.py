"""What the messages in a pool's queue say."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from corral.domain.lifecycle import Foreign, SpotWarning, Termination, read_message

GROUPS = {"lab-web"}

# Source: Amazon EC2 Auto Scaling user guide, "Amazon EventBridge event reference".
TERMINATION: dict[str, Any] = {
    "version": "0",
    "id": "12345678-1234-1234-1234-123456789012",
    "detail-type": "EC2 Instance-terminate Lifecycle Action",
    "source": "aws.autoscaling",
    "account": "123456789012",
    "time": "2026-11-02T11:59:30Z",
    "region": "us-east-1",
    "resources": ["arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:uuid"],
    "detail": {
        "LifecycleActionToken": "87654321-4321-4321-4321-210987654321",
        "AutoScalingGroupName": "lab-web",
        "LifecycleHookName": "lab-web-drain",
        "EC2InstanceId": "i-1234567890abcdef0",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
        "NotificationMetadata": "additional-info",
        "Origin": "AutoScalingGroup",
        "Destination": "EC2",
    },
}

# Source: Amazon EC2 user guide, "Spot Instance interruption notices".
SPOT_WARNING: dict[str, Any] = {
    "version": "0",
    "id": "12345678-1234-1234-1234-123456789012",
    "detail-type": "EC2 Spot Instance Interruption Warning",
    "source": "aws.ec2",
    "account": "123456789012",
    "time": "2026-11-02T11:59:30Z",
    "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1b:instance/i-1234567890abcdef0"],
    "detail": {"instance-id": "i-1234567890abcdef0", "instance-action": "terminate"},
}

# Source: Amazon EC2 Auto Scaling user guide, sent when a hook notifies a queue by itself.
TEST_NOTIFICATION: dict[str, Any] = {
    "AccountId": "123456789012",
    "RequestId": "4a37e63a-0000-0000-0000-000000000000",
    "AutoScalingGroupARN": "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:uuid",
    "AutoScalingGroupName": "lab-web",
    "Service": "AWS Auto Scaling",
    "Event": "autoscaling:TEST_NOTIFICATION",
    "Time": "2026-11-02T11:59:30.000Z",
}

NOON = datetime(2026, 11, 2, 11, 59, 30, tzinfo=UTC)


def changed(event: dict[str, Any], detail: dict[str, Any] | None = None, **fields: object) -> str:
    return json.dumps({**event, **fields, "detail": {**event["detail"], **(detail or {})}})


def test_a_termination_is_read():
    assert read_message(json.dumps(TERMINATION), GROUPS) == Termination(
        group="lab-web",
        hook="lab-web-drain",
        instance_id="i-1234567890abcdef0",
        token="87654321-4321-4321-4321-210987654321",
        time=NOON,
    )


@pytest.mark.parametrize("action", ["terminate", "stop", "hibernate"])
def test_a_spot_warning_is_read_whatever_group_it_is_of(action):
    body = changed(SPOT_WARNING, {"instance-action": action})

    assert read_message(body, GROUPS) == SpotWarning("i-1234567890abcdef0", action, NOON)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param("", "no event of a machine: the body", id="nothing"),
        pytest.param("hello", "no event of a machine: the body", id="no JSON"),
        pytest.param(json.dumps(TERMINATION)[:200], "no event of a machine", id="cut off"),
        pytest.param("[]", "no event of a machine: the body", id="a list"),
        pytest.param("null", "no event of a machine: the body", id="null"),
        pytest.param(json.dumps(TEST_NOTIFICATION), "source: Field required", id="AWS's test"),
        pytest.param(
            changed(TERMINATION, source="aws.ec2"), "It is of another kind", id="another source"
        ),
        pytest.param(
            changed(TERMINATION, **{"detail-type": "EC2 Instance Terminate Successful"}),
            "EC2 Instance Terminate Successful from aws.autoscaling",
            id="another kind",
        ),
        pytest.param(
            changed(TERMINATION, {"AutoScalingGroupName": "dev-web"}),
            "It is of another group: dev-web",
            id="another group",
        ),
        pytest.param(
            changed(TERMINATION, {"LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}),
            "another transition: autoscaling:EC2_INSTANCE_LAUNCHING",
            id="another transition",
        ),
        pytest.param(
            changed(TERMINATION, {"EC2InstanceId": "i-1; rm -rf /"}),
            "EC2InstanceId: String should match pattern",
            id="no id of an instance",
        ),
        pytest.param(
            changed(TERMINATION, {"EC2InstanceId": "i-1234567890abcdef0\n"}),
            "EC2InstanceId: String should match pattern",
            id="an id with something behind it",
        ),
        pytest.param(
            changed(TERMINATION, {"LifecycleActionToken": None}),
            "LifecycleActionToken: Input should be a valid string",
            id="no token",
        ),
        pytest.param(changed(TERMINATION, time="noon"), "time: ", id="no time"),
        pytest.param(changed(SPOT_WARNING, {"instance-id": ""}), "instance-id: ", id="no instance"),
    ],
)
def test_everything_else_is_foreign_and_says_why(body, said):
    message = read_message(body, GROUPS)

    assert isinstance(message, Foreign)
    assert said in message.reason


def test_a_reason_never_quotes_what_came_from_outside_at_length():
    secret = "hunter2" * 9
    message = read_message(changed(TERMINATION, {"EC2InstanceId": secret}), GROUPS)

    assert isinstance(message, Foreign)
    assert secret not in message.reason
