"""What a launch of instances gives them: volumes, tags and a role."""

import pytest
from aws_lab import AwsLab


def machine_template(aws_lab: AwsLab, name: str, **more) -> dict:
    """Make a launch template as terraform/base/machine writes it, and return how to name it."""
    ec2 = aws_lab.client("ec2")
    image = ec2.describe_images(Owners=["self"])["Images"][0]
    ebs = {"VolumeType": "gp3", "VolumeSize": 40, "Encrypted": True, "DeleteOnTermination": True}
    root = {"DeviceName": image["RootDeviceName"], "Ebs": ebs}
    tags = [{"Key": "Cluster", "Value": name}]
    ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={
            "ImageId": image["ImageId"],
            "InstanceType": "m5.large",
            "BlockDeviceMappings": [root],
            "TagSpecifications": [{"ResourceType": "volume", "Tags": tags}],
            **more,
        },
    )
    return {"LaunchTemplateName": name, "Version": "$Latest"}


def volumes_of(aws_lab: AwsLab, instance_id: str) -> list[dict]:
    filters = [{"Name": "attachment.instance-id", "Values": [instance_id]}]
    return aws_lab.client("ec2").describe_volumes(Filters=filters)["Volumes"]


def shown(volume: dict) -> tuple:
    device = volume["Attachments"][0]["Device"]
    return device, volume["VolumeType"], volume["Size"], volume["Encrypted"]


def test_a_templates_root_mapping_makes_the_one_root_volume_and_tags_it(aws_lab):
    template = machine_template(aws_lab, "rooted")
    scaling = aws_lab.client("autoscaling")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="rooted",
        MinSize=0,
        MaxSize=2,
        DesiredCapacity=1,
        LaunchTemplate=template,
        VPCZoneIdentifier=",".join(aws_lab.network()[1]),
        Tags=[{"Key": "Pool", "Value": "web", "PropagateAtLaunch": True}],
    )

    (instance_id,) = aws_lab.members("rooted")
    (volume,) = volumes_of(aws_lab, instance_id)
    assert shown(volume) == ("/dev/xvda", "gp3", 40, True)
    assert volume["Tags"] == [{"Key": "Cluster", "Value": "rooted"}]


def test_a_call_may_map_a_further_device_and_change_the_root(aws_lab):
    ec2 = aws_lab.client("ec2")
    made = ec2.run_instances(
        LaunchTemplate=machine_template(aws_lab, "mapped"),
        MinCount=1,
        MaxCount=1,
        BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 60, "Encrypted": True}},
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 5, "VolumeType": "gp3"}},
        ],
        TagSpecifications=[
            {"ResourceType": "volume", "Tags": [{"Key": "Cluster", "Value": "said"}]}
        ],
    )

    found = volumes_of(aws_lab, made["Instances"][0]["InstanceId"])
    assert sorted(map(shown, found)) == [
        ("/dev/sdf", "gp3", 5, False),
        ("/dev/xvda", "gp2", 60, True),
    ]
    assert {volume["Tags"][0]["Value"] for volume in found} == {"said"}


def test_without_a_mapping_there_is_the_images_root_volume(aws_lab):
    ec2 = aws_lab.client("ec2")
    image = ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)

    (volume,) = volumes_of(aws_lab, made["Instances"][0]["InstanceId"])
    assert shown(volume) == ("/dev/xvda", "gp2", 8, False)


@pytest.mark.parametrize("by", ["call", "template"])
def test_every_instance_of_a_launch_has_the_profile(aws_lab, by):
    iam, ec2 = aws_lab.client("iam"), aws_lab.client("ec2")
    iam.create_instance_profile(InstanceProfileName=f"profile-{by}")
    profile = {"IamInstanceProfile": {"Name": f"profile-{by}"}}
    template = machine_template(aws_lab, f"role-{by}", **(profile if by == "template" else {}))
    made = ec2.run_instances(
        LaunchTemplate=template, MinCount=3, MaxCount=3, **(profile if by == "call" else {})
    )

    ids = {one["InstanceId"] for one in made["Instances"]}
    associations = ec2.describe_iam_instance_profile_associations()
    found = [
        one["InstanceId"]
        for one in associations["IamInstanceProfileAssociations"]
        if one["IamInstanceProfile"]["Arn"].endswith(f"profile-{by}")
    ]
    assert sorted(found) == sorted(ids)
