"""Instances, groups and queues of the lab's AWS as the client reads them, and faults on the way."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from aws_lab import KEYS, AwsLab, eventually
from botocore.config import Config

from corral.clients.aws import Ec2, Groups, LifecycleQueue, calls, instances
from corral.domain.lifecycle import Termination
from corral.errors import (
    AccessDeniedError,
    AwsError,
    AwsUnavailableError,
    CorralError,
    CredentialsError,
)
from lab.aws import SeededInstance

HERD = 120
PAGE = 50
"""Rows of a page here; a thousand are no more telling, and take their time."""


@pytest.fixture(scope="module")
def session(aws_lab: AwsLab) -> Iterator[boto3.Session]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", aws_lab.world.aws_endpoint)
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
            patch.delenv(name, raising=False)
        yield boto3.Session(**KEYS)


@pytest.fixture(scope="module")
def herd(aws_lab: AwsLab) -> list[SeededInstance]:
    seeds = [
        SeededInstance(f"i-{n:017x}", f"10.200.{n // 250}.{n % 250 + 4}", n % 100 != 99)
        for n in range(HERD)
    ]
    aws_lab.aws.seed_herd(seeds, {"Cluster": "blue", "Pool": "web"})
    return seeds


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch):
    monkeypatch.setattr(instances, "PAGE_SIZE", PAGE)


@pytest.fixture
def faults(aws_lab: AwsLab) -> Iterator[object]:
    yield aws_lab.world.faults
    aws_lab.world.faults.clear()


def break_lists(faults: object, effect: dict, **more: int) -> None:
    match = {"operation": "DescribeInstances"}
    faults.add({"target": "aws", "match": match, "effect": effect, **more})


def test_all_instances_are_read_with_the_fewest_calls(aws_lab, session, herd):
    aws_lab.world.journal.clear()

    found = {one.id: one for one in Ec2(session).list()}

    assert {seed.id for seed in herd} <= found.keys()
    assert {found[seed.id].state for seed in herd if not seed.alive} == {"terminated"}
    living = [found[seed.id] for seed in herd if seed.alive]
    assert {(one.state, one.cluster, one.pool) for one in living} == {("running", "blue", "web")}
    assert [one.private_ip for one in living] == [one.private_ip for one in herd if one.alive]
    rows = aws_lab.world.journal.rows()
    assert [(row["operation"], row["count"]) for row in rows] == [("DescribeInstances", 3)]


def test_instances_are_found_by_id_and_those_that_never_were_are_left_out(session, herd):
    wanted = [herd[3].id, "i-0123456789abcdef0", herd[99].id]

    found = Ec2(session).find(wanted)

    assert [(one.id, one.is_living) for one in found.values()] == [
        (herd[3].id, True),
        (herd[99].id, False),
    ]


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        ({"status": 401}, CredentialsError),
        ({"status": 403}, AccessDeniedError),
        ({"status": 503}, AwsUnavailableError),
        ({"reset": True}, AwsUnavailableError),
        ({"cut": True}, AwsUnavailableError),
        ({"body": "<html><body>Sign in</body></html>", "content_type": "text/html"}, AwsError),
        (
            {"body": "<DescribeInstancesResponse><reserv", "content_type": "text/xml"},
            AwsUnavailableError,
        ),
        ({"body": "{}", "content_type": "application/json"}, AwsUnavailableError),
    ],
    ids=str,
)
@pytest.mark.usefixtures("herd")
@pytest.mark.parametrize("after", [0, 2], ids=["first page", "last page"])
def test_a_list_that_cannot_be_read_to_its_end_is_an_error(
    session, faults, monkeypatch, effect, kind, after
):
    quick = calls.CONFIG.merge(Config(retries={"mode": "standard", "max_attempts": 1}))
    monkeypatch.setattr(instances, "CONFIG", quick)
    break_lists(faults, effect, after=after)

    with pytest.raises(CorralError) as caught:
        Ec2(session).list()

    assert type(caught.value) is kind
    assert len(str(caught.value)) < 300


@pytest.mark.usefixtures("herd")
@pytest.mark.parametrize("effect", [{"status": 503}, {"reset": True}], ids=str)
def test_one_hiccup_of_a_list_is_not_noticed(session, faults, effect):
    break_lists(faults, effect, times=1)

    assert len(Ec2(session).list()) >= HERD


def queue_of(aws_lab: AwsLab, name: str) -> str:
    return aws_lab.client("sqs").create_queue(QueueName=name)["QueueUrl"]


def test_messages_come_back_until_they_are_deleted(aws_lab, session):
    url = queue_of(aws_lab, "herd-messages")
    aws_lab.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
    queue = LifecycleQueue(session, "herd-messages")

    assert queue.exists()
    assert queue.depth() == 1
    (first,) = queue.receive(1)
    assert queue.depth() == 1
    assert queue.receive(0) == []
    queue.extend(first, 0)
    (second,) = queue.receive(1)
    queue.delete(second)

    assert (first.id, first.body, first.receives, second.receives) == (
        second.id,
        "hello",
        1,
        2,
    )
    assert queue.depth() == 0


def test_a_long_poll_hears_at_once(aws_lab, session):
    queue_of(aws_lab, "herd-silence")
    started = time.monotonic()

    assert LifecycleQueue(session, "herd-silence").receive(1) == []
    assert time.monotonic() - started < 10


def test_a_queue_that_was_never_made_does_not_exist(session):
    assert not LifecycleQueue(session, "herd-nowhere").exists()


def test_a_group_tells_of_an_end_from_its_beginning_to_its_record(aws_lab, session):
    aws_lab.group("herd-life", 1)
    groups = Groups(session)
    (instance_id,) = eventually(
        lambda: [i for i, state in aws_lab.members("herd-life").items() if state == "InService"],
        20,
    )
    aws_lab.client("autoscaling").put_lifecycle_hook(
        AutoScalingGroupName="herd-life",
        LifecycleHookName="drain",
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        HeartbeatTimeout=7200,
    )
    assert groups.lifecycle_states([instance_id, "i-0123456789abcdef0"]) == {
        instance_id: ("herd-life", "InService")
    }

    url = queue_of(aws_lab, "herd-life")
    aws_lab.put_events_into(url, "herd-life", {"source": ["aws.autoscaling"]})
    aws_lab.client("autoscaling").set_desired_capacity(
        AutoScalingGroupName="herd-life", DesiredCapacity=0
    )
    eventually(
        lambda: (
            groups.lifecycle_states([instance_id])
            == {instance_id: ("herd-life", "Terminating:Wait")}
        ),
        20,
    )
    assert groups.terminations(["herd-life"], [instance_id]) == {}

    (message,) = eventually(lambda: LifecycleQueue(session, "herd-life").receive(1), 20)
    detail = json.loads(message.body)["detail"]
    action = Termination(
        detail["AutoScalingGroupName"],
        detail["LifecycleHookName"],
        detail["EC2InstanceId"],
        detail["LifecycleActionToken"],
        datetime.now(UTC),
    )
    assert groups.heartbeat(action)
    assert groups.complete(action)
    assert not groups.complete(action)
    assert not groups.heartbeat(action)

    record = eventually(lambda: groups.terminations(["herd-life", "herd-no"], [instance_id]), 20)
    assert record[instance_id].startswith("the group herd-life terminated it at ")
    assert groups.lifecycle_states([instance_id]) == {}
