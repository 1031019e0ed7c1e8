"""The group of Rancher's servers and its load balancer, read and changed in the lab's AWS."""

from collections.abc import Iterator
from itertools import count

import boto3
import pytest
from aws_lab import KEYS, AwsLab, eventually

from corral.clients.aws import (
    empty_group,
    leave_balancer,
    living_instances,
    read_servers,
    remove_server,
    replace_machine,
)
from corral.errors import PrerequisiteError

numbers = count(1)


class Group:
    """A group of three in a target group of its own, in a network of its own."""

    def __init__(self, lab: AwsLab, session: boto3.Session) -> None:
        number = next(numbers)
        self.session, self.name = session, f"servers-{number}"
        self.scaling = lab.client("autoscaling")
        vpc, subnets = lab.network(f"10.{50 + number}.0.0/16")
        balancing = lab.client("elbv2")
        self.targets = balancing.create_target_group(
            Name=self.name, Protocol="HTTP", Port=8080, VpcId=vpc
        )["TargetGroups"][0]["TargetGroupArn"]
        balancing.modify_target_group_attributes(
            TargetGroupArn=self.targets,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "400"}],
        )
        lab.group(self.name, 3, VPCZoneIdentifier=",".join(subnets), TargetGroupARNs=[self.targets])
        self.update(MinSize=3)

    def update(self, **changes: object) -> None:
        self.scaling.update_auto_scaling_group(AutoScalingGroupName=self.name, **changes)

    def read(self):
        return read_servers(self.session, self.name, self.targets)


@pytest.fixture
def group(aws_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Group]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_lab.world.aws_endpoint)
    made = Group(aws_lab, boto3.Session(**KEYS))
    yield made
    made.scaling.delete_auto_scaling_group(AutoScalingGroupName=made.name, ForceDelete=True)


def test_servers_are_read_with_what_everybody_knows_of_them(group: Group):
    found = group.read()

    assert (found.wanted, len(found.staying), found.suspended) == (3, 3, frozenset())
    assert {one.version for one in found.servers} == {found.version}
    assert {one.zone for one in found.servers} == {"us-east-1a", "us-east-1b"}
    assert all(one.launched for one in found.servers)
    assert not any(one.is_out for one in found.servers)


def test_a_group_that_is_not_there_is_told(group: Group):
    with pytest.raises(PrerequisiteError, match="no auto scaling group absent: build"):
        read_servers(group.session, "absent", group.targets)


def test_what_a_group_was_told_to_suspend_is_read(group: Group):
    group.scaling.suspend_processes(
        AutoScalingGroupName=group.name, ScalingProcesses=["Launch", "AZRebalance"]
    )

    assert group.read().suspended == {"Launch", "AZRebalance"}


def test_a_server_drains_and_is_out_and_its_group_has_it_in_service_all_the_while(group: Group):
    one = group.read().servers[0].instance_id

    leave_balancer(group.session, group.targets, one)
    leave_balancer(group.session, group.targets, one)

    assert group.read().find(one).target == "draining"
    out = eventually(lambda: (found := group.read().find(one)).target == "" and found, 20)
    assert (out.is_out, out.lifecycle) == (True, "InService")


def test_a_server_is_replaced(group: Group):
    one = group.read().servers[0].instance_id

    assert replace_machine(group.session, one) is True

    found = group.read()
    assert (found.wanted, len(found.staying), found.find(one)) == (3, 3, None)


def test_a_server_is_removed_once_however_often_that_is_asked_for(group: Group):
    one, other = (server.instance_id for server in group.read().servers[:2])

    assert remove_server(group.session, group.name, one, 2) is True
    assert remove_server(group.session, group.name, one, 2) is False
    assert remove_server(group.session, group.name, other, 2) is False

    found = group.read()
    assert (found.wanted, found.find(one)) == (2, None)
    assert found.find(other) is not None


def test_an_emptied_group_has_nobody_left_in_the_end(group: Group):
    assert set(living_instances(group.session, group.name).values()) == {"running"}

    assert empty_group(group.session, group.name) is True
    assert empty_group(group.session, group.name) is False

    eventually(lambda: not living_instances(group.session, group.name))
    assert (group.read().wanted, group.read().servers) == (0, ())
