"""Rolls and shrinks that die after each write to AWS, and the run after them, on the lab's AWS.

The gate is stood in for by what the load balancer knows; its own tests are elsewhere.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

import boto3
import pytest
from aws_lab import KEYS, AwsLab
from botocore.client import BaseClient
from mortality import Death, Fate
from prefect.logging import disable_run_logger

from corral.domain.servers import DRAINING, NOT_REGISTERED, Renewal, ServerGroup
from corral.domain.stacks import ControlPlaneOutputs
from corral.settings import Settings, load_cluster_spec
from tasks import connect
from tasks.departures import GatePatience, Watch, roll, shrink
from tasks.servers import Place

SIZE = 3
PATIENCE = GatePatience(timedelta(seconds=60), timedelta(seconds=0.2), 1)
ALL = Renewal(all=True)
numbers = count(1)


class Servers(Place):
    """A group of the lab's, whose gate is open while all targets that are asked for are there."""

    def gate(self, size: int, spared: Collection[str]) -> Callable[[], Sequence[str]]:
        def look() -> list[str]:
            staying = self.read().staying
            missing = [f"{len(staying)} of {size}"] if len(staying) != size else []
            asked = (one for one in staying if one.instance_id not in spared)
            out = (NOT_REGISTERED, DRAINING)
            return missing + [f"{one} is out" for one in asked if one.target in out]

        return look


@pytest.fixture
def servers(aws_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_lab.world.aws_endpoint)
    monkeypatch.setattr(connect, "aws", lambda _: boto3.Session(**KEYS))
    number = next(numbers)
    name = f"mortal-{number}"
    vpc, subnets = aws_lab.network(f"10.{80 + number}.0.0/16")
    targets = aws_lab.client("elbv2").create_target_group(
        Name=name, Protocol="HTTP", Port=8080, VpcId=vpc
    )["TargetGroups"][0]["TargetGroupArn"]
    aws_lab.client("elbv2").modify_target_group_attributes(
        TargetGroupArn=targets,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
    )
    aws_lab.group(name, SIZE, VPCZoneIdentifier=",".join(subnets), TargetGroupARNs=[targets])
    groups = aws_lab.client("autoscaling")
    groups.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=SIZE)
    control = ControlPlaneOutputs(
        url="",
        load_balancer_arn="",
        load_balancer_dns_name="",
        target_group_arn=targets,
        group_name=name,
        image_id="",
    )
    with disable_run_logger():
        yield Servers(load_cluster_spec("lab", Settings()), control)
    groups.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)


@contextmanager
def mortal(fate: Fate) -> Iterator[None]:
    """Have whoever writes to AWS die when its fate says so."""
    make = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: BaseClient, operation: str, parameters: dict[str, object]) -> object:
        answer = make(self, operation, parameters)
        if not operation.startswith("Describe"):
            fate.answered()
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        yield


def watch(servers: Servers) -> Watch:
    return Watch(servers, PATIENCE, lambda _: None)


def die(run: Callable[[], None], calls: int) -> None:
    with mortal(Fate(calls)), pytest.raises(Death):
        run()


def ids(group: ServerGroup) -> set[str]:
    return {one.instance_id for one in group.staying}


@pytest.mark.parametrize("writes", [0, 1], ids=["it left", "it was ended"])
def test_a_roll_that_died_is_finished_without_a_second_one_away(servers: Servers, writes: int):
    before = servers.read()
    die(lambda: roll(watch(servers), ALL, SIZE), writes)
    halfway = servers.read()
    assert sum(not one.is_out for one in halfway.staying if one.instance_id in ids(before)) == 2

    roll(watch(servers), Renewal(), SIZE)

    after = servers.read()
    assert (after.wanted, len(after.staying)) == (SIZE, SIZE)
    assert len(ids(after) & ids(before)) == SIZE - 1
    assert not any(one.is_out for one in after.staying)


@pytest.mark.parametrize("writes", [0, 1, 2], ids=["it left", "minimum lowered", "it was ended"])
def test_a_shrink_that_died_takes_no_more_than_it_should(servers: Servers, writes: int):
    die(lambda: shrink(watch(servers), SIZE - 1), writes)

    shrink(watch(servers), SIZE - 1)

    after = servers.read()
    assert (after.wanted, len(after.staying)) == (SIZE - 1, SIZE - 1)
    assert not any(one.is_out for one in after.staying)
