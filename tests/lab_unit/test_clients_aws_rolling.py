"""A group's machines by what they were started from, and their replacement, in the lab's AWS."""

from base64 import b64encode

import boto3
import pytest
from aws_lab import KEYS, AwsLab

from corral.clients.aws import read_machines, replace_machine
from corral.errors import PrerequisiteError


@pytest.fixture
def session(aws_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_lab.world.aws_endpoint)
    return boto3.Session(**KEYS)


def make_group(aws_lab: AwsLab, name: str, version: str, size: int = 1) -> str:
    """Make a group of a launch template with three versions, the first its default."""
    ec2 = aws_lab.client("ec2")
    image = ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]
    user_data = b64encode(b"#cloud-config\n").decode()
    data = {"ImageId": image, "InstanceType": "m5.large", "UserData": user_data}
    made = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    for _ in range(2):
        ec2.create_launch_template_version(LaunchTemplateName=name, LaunchTemplateData=data)
    template = {"LaunchTemplateName": name, "Version": version}
    aws_lab.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=2,
        DesiredCapacity=size,
        MixedInstancesPolicy={"LaunchTemplate": {"LaunchTemplateSpecification": template}},
        VPCZoneIdentifier=",".join(aws_lab.network()[1]),
    )
    return made["LaunchTemplate"]["LaunchTemplateId"]


def start_from(aws_lab: AwsLab, name: str, version: str) -> None:
    template = {"LaunchTemplateName": name, "Version": version}
    aws_lab.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=name,
        MixedInstancesPolicy={"LaunchTemplate": {"LaunchTemplateSpecification": template}},
    )


def test_a_group_that_is_not_there_is_told(session):
    with pytest.raises(PrerequisiteError, match="no auto scaling group absent: build"):
        read_machines(session, "absent")


@pytest.mark.parametrize(("version", "number"), [("2", "2"), ("$Latest", "3"), ("$Default", "1")])
def test_what_a_group_starts_is_told_by_its_number(aws_lab, session, version, number):
    name = f"numbered-{number}"
    template = make_group(aws_lab, name, version, size=0)

    found = read_machines(session, name)

    assert (found.version, found.wanted, found.machines) == (f"{template}:{number}", 0, ())


def test_a_machine_keeps_the_version_that_it_was_started_from(aws_lab, session):
    make_group(aws_lab, "kept", "1")
    assert read_machines(session, "kept").outdated == ()

    start_from(aws_lab, "kept", "3")

    found = read_machines(session, "kept")
    assert found.version.endswith(":3")
    assert [machine.version[-2:] for machine in found.outdated] == [":1"]


def test_a_replaced_machine_makes_place_for_one_of_the_new_version(aws_lab, session):
    make_group(aws_lab, "replaced", "1")
    start_from(aws_lab, "replaced", "2")
    (old,) = read_machines(session, "replaced").outdated

    assert replace_machine(session, old.instance_id) is True

    found = read_machines(session, "replaced")
    assert (found.wanted, found.outdated) == (1, ())
    assert [machine.version[-2:] for machine in found.machines] == [":2"]
    assert replace_machine(session, old.instance_id) is False
