"""Whatever AWS and Rancher answer a drain: nothing is lost, and the next run finishes the work.

The clients are the real ones, over a whole Rancher and the lab's AWS.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from threading import Event
from typing import Any

import boto3
import pytest
import stamina
from aws_lab import KEYS, AwsLab, eventually
from botocore.config import Config
from ranchers import Rancher, Ranchers

from corral.clients.aws import Ec2, Groups, LifecycleQueue, instances, lifecycle, queues
from corral.clients.aws.calls import CONFIG
from corral.clients.rancher import Patience, RancherClient, transport
from corral.domain.herd import Rule
from corral.settings import Settings, load_cluster_spec
from tasks.draining import Draining
from tasks.fates import Fate
from tasks.listening import Heard, Listening, Source, stoppable_pause
from tasks.loans import Loans
from tasks.roster import Roster

PATIENCE = Patience(deadline=timedelta(seconds=2), interval=timedelta(seconds=0.05))
RULE = replace(Rule.of(load_cluster_spec("lab", Settings()), Settings()), cluster="drained")
NUMBERS = count()
EFFECTS: dict[str, dict[str, Any]] = {
    "401": {"status": 401},
    "403": {"status": 403},
    "409": {"status": 409},
    "422": {"status": 422},
    "500": {"status": 500},
    "503": {"status": 503},
    "throttled": {"status": 400, "body": {"code": "Throttling"}},
    "reset": {"reset": True},
    "slow": {"trickle_s": 30.0},
    "cut": {"cut": True},
    "truncated": {"body": '{"type": "collec'},
    "HTML": {"body": "<html><body>Bad gateway</body></html>", "content_type": "text/html"},
}
RANCHER_FAULTS = {
    "GET /v2-beta/hosts": [name for name in EFFECTS if name != "throttled"],
    "GET /v2-beta/projects/{id}/hosts/{id}": ["503", "slow", "truncated"],
    "POST /v2-beta/projects/{id}/hosts/{id}?evacuate": ["409", "reset"],
    "POST /v2-beta/projects/{id}/hosts/{id}?remove": ["403", "409", "500", "cut", "HTML"],
}
AWS_FAULTS = {
    "DescribeAutoScalingInstances": [name for name in EFFECTS if name not in ("slow", "truncated")],
    "DescribeInstances": ["throttled", "cut"],
    "ReceiveMessage": ["403", "reset", "cut", "HTML"],
    "CompleteLifecycleAction": ["403", "throttled", "HTML"],
}


def each_of(faults: Mapping[str, Sequence[str]]) -> list[Any]:
    return [
        pytest.param(operation, EFFECTS[name], id=f"{operation}-{name}")
        for operation, names in faults.items()
        for name in names
    ]


@dataclass
class Pool:
    """A pool of one machine that its group ends, its host, and the word of it in a queue."""

    aws: AwsLab
    rancher: Rancher
    session: boto3.Session
    name: str
    instance_id: str
    host_id: str

    @property
    def queue(self) -> LifecycleQueue:
        return LifecycleQueue(self.session, self.name)

    @property
    def host(self) -> Any:
        return RancherClient(self.rancher.url).host("1a5", self.host_id)

    def drain(self) -> Heard:
        """Do what one run does, with clients of its own."""
        rancher, stop = RancherClient(self.rancher.url), Event()
        ec2, groups = Ec2(self.session), Groups(self.session)
        draining = Draining(
            cluster="drained",
            group_names=frozenset({self.name}),
            rancher=rancher,
            ec2=ec2,
            groups=groups,
            roster=Roster(rancher, ec2, RULE),
            patience=PATIENCE,
            pause=stoppable_pause(stop),
        )
        listening = Listening(draining, Loans(groups, 0.3), workers=2, stop=stop)
        return listening.listen([Source("web", self.queue, timedelta(minutes=10))], 0)

    def has_come_again(self) -> bool:
        """Say whether the message could be received now."""
        name = "ApproximateNumberOfMessages"
        sqs = self.aws.client("sqs")
        url = sqs.get_queue_url(QueueName=self.name)["QueueUrl"]
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return answer["Attributes"][name] == "1"


@pytest.fixture(scope="module")
def ranchers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ranchers]:
    started = Ranchers(tmp_path_factory.mktemp("ranchers"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def session(aws_lab: AwsLab) -> Iterator[boto3.Session]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", aws_lab.world.aws_endpoint)
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
            patch.delenv(name, raising=False)
        yield boto3.Session(**KEYS)


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    quick = CONFIG.merge(Config(retries={"mode": "standard", "max_attempts": 1}))
    for module in (instances, lifecycle, queues):
        monkeypatch.setattr(module, "CONFIG", quick)
    monkeypatch.setattr(transport, "ANSWER_S", 2.0)
    monkeypatch.setattr("tasks.loans.LEAST_LOAN_S", 1.0)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture(scope="module")
def subnets(aws_lab: AwsLab) -> str:
    """One network for all: where each had its own, they would have the same addresses."""
    return ",".join(aws_lab.network()[1])


@pytest.fixture
def pool(
    aws_lab: AwsLab, ranchers: Ranchers, session: boto3.Session, subnets: str
) -> Iterator[Pool]:
    name = f"drained-{next(NUMBERS)}"
    aws_lab.group(name, 1, VPCZoneIdentifier=subnets)
    eventually(lambda: set(aws_lab.members(name).values()) == {"InService"}, 20)
    (instance_id,) = aws_lab.members(name)
    address = Ec2(session).find([instance_id])[instance_id].private_ip
    rancher = ranchers.open()
    (seeded,) = rancher.cluster.seed_herd(1, 0, instances=[(instance_id, address)])
    pool = Pool(aws_lab, rancher, session, name, instance_id, seeded.host_id)
    tell_of_endings(aws_lab, name)
    aws_lab.client("autoscaling").set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=0)
    eventually(lambda: aws_lab.members(name)[instance_id] == "Terminating:Wait", 20)
    eventually(pool.has_come_again, 20)
    yield pool
    aws_lab.world.faults.clear()
    ranchers.close(rancher)


def tell_of_endings(aws_lab: AwsLab, name: str) -> None:
    """Have a group wait for whoever drains its machines, and a queue hear of them."""
    aws_lab.client("autoscaling").put_lifecycle_hook(
        AutoScalingGroupName=name,
        LifecycleHookName="drain",
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        HeartbeatTimeout=7200,
    )
    queue = aws_lab.client("sqs").create_queue(
        QueueName=name, Attributes={"VisibilityTimeout": "2"}
    )
    pattern = {"source": ["aws.autoscaling"], "detail": {"AutoScalingGroupName": [name]}}
    aws_lab.put_events_into(queue["QueueUrl"], name, pattern)


def comes_to_a_good_end(pool: Pool) -> None:
    """See to it that the message is still there, and that the next run does the work."""
    pool.aws.world.faults.clear()
    pool.rancher.world.faults.clear()
    assert pool.aws.members(pool.name)[pool.instance_id] == "Terminating:Wait"
    eventually(pool.has_come_again, 20)

    heard = pool.drain()

    assert [each.fate for each in heard.handled] == [Fate.DRAINED], heard
    assert pool.host is None or pool.host.is_removed
    assert pool.queue.depth() == 0


@pytest.mark.parametrize(("operation", "effect"), each_of(RANCHER_FAULTS))
def test_a_rancher_that_fails_costs_nothing_but_time(
    pool: Pool, operation: str, effect: dict[str, Any]
):
    rule = {"target": "rancher", "match": {"operation": operation}, "effect": effect}
    pool.rancher.world.faults.add(rule)

    heard = pool.drain()

    if [each.fate for each in heard.handled] == [Fate.DRAINED]:
        # The step was taken, only its answer was lost.
        assert pool.host.is_removed
        assert pool.queue.depth() == 0
        return
    assert [each.fate for each in heard.handled] == [Fate.LEFT]
    comes_to_a_good_end(pool)


@pytest.mark.parametrize(("operation", "effect"), each_of(AWS_FAULTS))
def test_an_aws_that_fails_keeps_machine_and_message(
    pool: Pool, operation: str, effect: dict[str, Any]
):
    rule = {"target": "aws", "match": {"operation": operation}, "effect": effect}
    pool.aws.world.faults.add(rule)

    heard = pool.drain()

    assert {each.fate for each in heard.handled} <= {Fate.LEFT}
    assert pool.host.is_active or operation == "CompleteLifecycleAction"
    comes_to_a_good_end(pool)
