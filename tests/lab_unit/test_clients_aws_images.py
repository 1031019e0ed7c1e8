"""Images, their users, and builders left behind, against moto."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from moto import mock_aws

from corral.clients.aws import (
    baked_images,
    end_builders,
    find_builders,
    open_session,
    remove_image,
    remove_lost_snapshots,
    source_image,
    users_of,
)
from corral.domain.images import BUILDER_TAG, FAMILY_TAG, LEFT_TAG, RUN_TAG
from corral.errors import GateTimeoutError, PrerequisiteError

ACCOUNT = "123456789012"
NO_TIME = timedelta(seconds=20)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield open_session("us-east-1")


def tags(**pairs: str) -> list[dict[str, str]]:
    names = {"family": FAMILY_TAG, "builder": BUILDER_TAG, "run": RUN_TAG, "left": LEFT_TAG}
    return [{"Key": names[name], "Value": value} for name, value in pairs.items()]


def base(ec2: Any) -> str:
    return ec2.register_image(Name="base", RootDeviceName="/dev/xvda")["ImageId"]


def bake(ec2: Any, name: str, family: str = "node-") -> str:
    """Make an image as Packer does: from a machine that ends, tagged with its snapshots."""
    made = ec2.run_instances(ImageId=base(ec2), MinCount=1, MaxCount=1)["Instances"][0]
    image = ec2.create_image(InstanceId=made["InstanceId"], Name=name)["ImageId"]
    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
    disks = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"]
    snapshots = [disk["Ebs"]["SnapshotId"] for disk in disks]
    ec2.create_tags(Resources=[image, *snapshots], Tags=tags(family=family))
    return image


def run(ec2: Any, image: str, **more: Any) -> str:
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, **more)
    return made["Instances"][0]["InstanceId"]


def snapshots_of(ec2: Any) -> set[str]:
    found = ec2.describe_snapshots(
        OwnerIds=["self"], Filters=[{"Name": "tag-key", "Values": [FAMILY_TAG]}]
    )
    return {row["SnapshotId"] for row in found["Snapshots"]}


# images


def test_the_newest_source_of_the_owner_is_found(session):
    ec2 = session.client("ec2")
    base(ec2)

    assert source_image(session, ACCOUNT, "ba*").name == "base"


def test_a_source_that_is_not_there_is_told(session):
    with pytest.raises(PrerequisiteError, match=r"No image of account 136693071363 .* debian-\*"):
        source_image(session, "136693071363", "debian-*")


def test_only_images_of_the_family_are_ours(session):
    ec2 = session.client("ec2")
    ours = bake(ec2, "node-1")
    bake(ec2, "other-1", family="other-")

    (found,) = baked_images(session, "node-")

    assert (found.id, found.name, len(found.snapshots)) == (ours, "node-1", 1)


def test_a_running_and_a_stopped_machine_use_their_image_and_a_terminated_one_does_not(session):
    ec2 = session.client("ec2")
    running, stopped, gone = (bake(ec2, f"node-{number}") for number in range(3))
    runner = run(ec2, running)
    stopper = run(ec2, stopped)
    ec2.stop_instances(InstanceIds=[stopper])
    ec2.terminate_instances(InstanceIds=[run(ec2, gone)])

    assert users_of(session, {running, stopped, gone}) == {
        running: f"instance {runner}",
        stopped: f"instance {stopper}",
    }


def test_what_a_template_would_start_by_default_or_newest_is_in_use(session):
    ec2 = session.client("ec2")
    default, between, newest = (bake(ec2, f"node-{number}") for number in range(3))
    ec2.create_launch_template(LaunchTemplateName="nodes", LaunchTemplateData={"ImageId": default})
    for image in (between, newest):
        ec2.create_launch_template_version(
            LaunchTemplateName="nodes", LaunchTemplateData={"ImageId": image}
        )

    assert users_of(session, {default, between, newest}) == {
        default: "launch template nodes:1",
        newest: "launch template nodes:3",
    }


def test_a_version_that_a_group_starts_is_in_use_although_neither_default_nor_newest(session):
    ec2 = session.client("ec2")
    images = [bake(ec2, f"node-{number}") for number in range(3)]
    _group_of_versions(session, images, version="2")

    assert users_of(session, set(images))[images[1]] == "launch template nodes:2"


def test_a_group_whose_template_is_gone_keeps_nobody_from_looking_at_the_others(session):
    ec2 = session.client("ec2")
    image = bake(ec2, "node-1")
    _group_of_versions(session, [image, image, image], version="2")
    ec2.delete_launch_template(LaunchTemplateName="nodes")
    instance = run(ec2, image)

    assert users_of(session, {image}) == {image: f"instance {instance}"}


def test_an_image_that_was_shared_is_in_use(session):
    ec2 = session.client("ec2")
    image = bake(ec2, "node-1")
    ec2.modify_image_attribute(
        ImageId=image, LaunchPermission={"Add": [{"UserId": "222222222222"}]}
    )

    assert users_of(session, {image}) == {image: "shared with 222222222222"}


def test_an_image_goes_with_its_snapshots_and_may_go_twice(session):
    ec2 = session.client("ec2")
    bake(ec2, "node-1")
    (image,) = baked_images(session, "node-")

    remove_image(session, image)
    remove_image(session, image)

    assert baked_images(session, "node-") == []
    assert snapshots_of(ec2) == set()


def test_snapshots_whose_image_is_gone_are_removed_and_no_others(session):
    ec2 = session.client("ec2")
    lost, kept = bake(ec2, "node-1"), bake(ec2, "node-2")
    ec2.deregister_image(ImageId=lost)
    (image,) = baked_images(session, "node-")

    removed = remove_lost_snapshots(session, "node-")

    assert image.id == kept
    assert len(removed) == 1
    assert snapshots_of(ec2) == set(image.snapshots)
    assert remove_lost_snapshots(session, "node-") == []


# builders


def builder(ec2: Any, name: str, cluster: str = "lab") -> str:
    """Start a builder as Packer does, which tags neither its key pair nor its group."""
    ec2.create_key_pair(KeyName=f"packer_{name}")
    group = ec2.create_security_group(GroupName=f"packer_{name}", Description="Temporary")[
        "GroupId"
    ]
    return run(
        ec2,
        base(ec2),
        KeyName=f"packer_{name}",
        SecurityGroupIds=[group],
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": tags(builder=cluster, run=f"run-{name}")}
        ],
    )


def left(ec2: Any) -> list[str]:
    keys = [row["KeyName"] for row in ec2.describe_key_pairs()["KeyPairs"]]
    groups = [row["GroupName"] for row in ec2.describe_security_groups()["SecurityGroups"]]
    return sorted({name for name in keys + groups if name.startswith("packer_")})


def end(session: boto3.Session, *ids: str, deadline: timedelta = NO_TIME) -> list[str]:
    chosen = [one for one in find_builders(session, "lab") if one.id in ids]
    return end_builders(
        session,
        "lab",
        chosen,
        deadline=deadline,
        interval=timedelta(milliseconds=1),
        on_wait=lambda _: None,
    )


def test_a_builder_is_found_with_what_packer_made_for_it(session):
    ec2 = session.client("ec2")
    instance = builder(ec2, "a")
    builder(ec2, "b", cluster="prod")

    (found,) = find_builders(session, "lab")

    assert (found.id, found.run, found.key_pair) == (instance, "run-a", "packer_a")
    assert len(found.groups) == 1


def test_a_builder_left_behind_goes_with_its_key_pair_and_group_and_no_other_does(session):
    ec2 = session.client("ec2")
    dead, alive = builder(ec2, "dead"), builder(ec2, "alive")

    assert end(session, dead) == [dead, "packer_dead", "packer_dead"]

    assert [one.id for one in find_builders(session, "lab")] == [alive]
    assert left(ec2) == ["packer_alive"]


def test_what_a_living_builder_has_stays_although_a_newer_packer_tags_it_like_the_builder(session):
    ec2 = session.client("ec2")
    builder(ec2, "alive")
    (found,) = find_builders(session, "lab")
    (key,) = ec2.describe_key_pairs()["KeyPairs"]
    ec2.create_tags(Resources=[*found.groups, key["KeyPairId"]], Tags=tags(builder="lab"))

    assert end(session) == []
    assert left(ec2) == ["packer_alive"]


def test_groups_that_a_machine_has_besides_packers_stay(session):
    ec2 = session.client("ec2")
    instance = builder(ec2, "a")
    mine = ec2.create_security_group(GroupName="mine", Description="mine")["GroupId"]
    ec2.modify_instance_attribute(InstanceId=instance, Groups=[mine])

    end(session, instance)

    names = [row["GroupName"] for row in ec2.describe_security_groups()["SecurityGroups"]]
    assert "mine" in names


def test_what_a_run_that_died_while_cleaning_left_is_removed_by_the_next(session):
    ec2 = session.client("ec2")
    instance = builder(ec2, "a")
    (found,) = find_builders(session, "lab")
    (key,) = ec2.describe_key_pairs()["KeyPairs"]
    ec2.create_tags(Resources=[*found.groups, key["KeyPairId"]], Tags=tags(left="lab"))
    ec2.terminate_instances(InstanceIds=[instance])

    assert end(session) == ["packer_a", "packer_a"]
    assert left(ec2) == []


def test_a_group_that_ec2_takes_for_used_a_while_longer_is_waited_for(session):
    ec2 = session.client("ec2")
    instance = builder(ec2, "a")
    looks = _group_in_use(session, times=3)

    assert end(session, instance) == [instance, "packer_a", "packer_a"]
    assert left(ec2) == []
    assert len(looks) == 4


def test_a_group_that_stays_in_use_is_named_when_the_time_is_over(session):
    ec2 = session.client("ec2")
    instance = builder(ec2, "a")
    _group_in_use(session, times=10**6)

    with pytest.raises(GateTimeoutError, match="packer_a is still in use"):
        end(session, instance, deadline=timedelta(milliseconds=50))


def test_where_nothing_was_left_nothing_is_removed(session):
    assert end(session) == []


def _group_in_use(session: boto3.Session, times: int) -> list[None]:
    """Have EC2 refuse to delete a group so many times; return what counts its answers."""
    looks: list[None] = []
    error = {"Code": "DependencyViolation", "Message": "it has a dependent object"}

    def refuse(**_: Any) -> Any:
        looks.append(None)
        return (Mock(status_code=400), {"Error": error}) if len(looks) <= times else None

    session.events.register("before-call.ec2.DeleteSecurityGroup", refuse)
    return looks


def _group_of_versions(session: boto3.Session, images: list[str], version: str) -> None:
    ec2 = session.client("ec2")
    first, *others = images
    ec2.create_launch_template(
        LaunchTemplateName="nodes",
        LaunchTemplateData={"ImageId": first, "InstanceType": "t3.micro"},
    )
    for image in others:
        ec2.create_launch_template_version(
            LaunchTemplateName="nodes", LaunchTemplateData={"ImageId": image}
        )
    session.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="lab-web",
        MinSize=0,
        MaxSize=1,
        AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateName": "nodes", "Version": version},
    )
