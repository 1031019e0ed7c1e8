"""What AWS refuses to delete, and what goes along with what is deleted."""

import pytest
from aws_lab import AwsLab, eventually
from botocore.exceptions import ClientError

CLUSTER = [{"Key": "Cluster", "Values": ["ending"]}]
TAGS = [{"Key": "Cluster", "Value": "ending"}]


def tagged_as(kind: str) -> list[dict]:
    return [{"ResourceType": kind, "Tags": TAGS}]


def found(aws_lab: AwsLab) -> set[str]:
    """Return the kinds of what has the cluster's tag."""
    answer = aws_lab.client("resourcegroupstaggingapi").get_resources(TagFilters=CLUSTER)
    arns = [row["ResourceARN"] for row in answer["ResourceTagMappingList"]]
    return {arn.rpartition(":")[2].partition("/")[0] for arn in arns}


def test_a_load_balancer_stays_as_long_as_it_is_protected(aws_lab):
    elb = aws_lab.client("elbv2")
    _, subnets = aws_lab.network("10.61.0.0/16")
    made = elb.create_load_balancer(Name="guarded", Subnets=subnets)["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]
    attribute = {"Key": "deletion_protection.enabled", "Value": "true"}
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])

    with pytest.raises(ClientError, match="OperationNotPermitted"):
        elb.delete_load_balancer(LoadBalancerArn=arn)

    attribute["Value"] = "false"
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])
    elb.delete_load_balancer(LoadBalancerArn=arn)


def test_a_database_goes_only_with_a_word_about_its_last_snapshot(aws_lab):
    rds = aws_lab.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="wordless",
        DBInstanceClass="db.t3.small",
        Engine="mysql",
        MasterUsername="rancher",
        MasterUserPassword="a-password",
        AllocatedStorage=20,
    )

    with pytest.raises(ClientError, match="FinalDBSnapshotIdentifier is required"):
        rds.delete_db_instance(DBInstanceIdentifier="wordless")

    last = {"FinalDBSnapshotIdentifier": "wordless-final"}
    rds.delete_db_instance(DBInstanceIdentifier="wordless", **last)
    taken = rds.describe_db_snapshots(DBSnapshotIdentifier="wordless-final")["DBSnapshots"]
    assert [one["DBInstanceIdentifier"] for one in taken] == ["wordless"]


def test_a_group_with_instances_goes_by_force_only(aws_lab):
    scaling = aws_lab.client("autoscaling")
    aws_lab.group("manned", 1)

    with pytest.raises(ClientError, match="ResourceInUse"):
        scaling.delete_auto_scaling_group(AutoScalingGroupName="manned")

    scaling.delete_auto_scaling_group(AutoScalingGroupName="manned", ForceDelete=True)


def test_a_hook_that_is_deleted_lets_go_of_the_machines_it_holds(aws_lab):
    scaling = aws_lab.client("autoscaling")
    aws_lab.group("held", 1)
    scaling.put_lifecycle_hook(
        AutoScalingGroupName="held",
        LifecycleHookName="drain",
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        HeartbeatTimeout=7200,
    )
    scaling.update_auto_scaling_group(AutoScalingGroupName="held", DesiredCapacity=0)
    assert set(aws_lab.members("held").values()) == {"Terminating:Wait"}

    scaling.delete_lifecycle_hook(AutoScalingGroupName="held", LifecycleHookName="drain")

    eventually(lambda: not aws_lab.members("held"))


def test_a_network_takes_along_what_aws_made_for_it(aws_lab):
    ec2 = aws_lab.client("ec2")
    vpc_id, subnets = aws_lab.network("10.62.0.0/16")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address)["NatGateway"]

    ec2.delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc_id)

    ours = [{"Name": "vpc-id", "Values": [vpc_id]}]
    assert ec2.describe_network_interfaces(Filters=ours)["NetworkInterfaces"] == []
    assert ec2.describe_network_acls(Filters=ours)["NetworkAcls"] == []


def test_an_instance_takes_its_interface_along_when_it_has_shut_down(aws_lab):
    ec2 = aws_lab.client("ec2")
    vpc_id, subnets = aws_lab.network("10.63.0.0/16")
    ours = [{"Name": "vpc-id", "Values": [vpc_id]}]
    aws_lab.group("brief", 1, VPCZoneIdentifier=subnets[0])
    assert ec2.describe_network_interfaces(Filters=ours)["NetworkInterfaces"]

    aws_lab.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="brief", DesiredCapacity=0
    )

    eventually(lambda: not ec2.describe_network_interfaces(Filters=ours)["NetworkInterfaces"])


def test_tags_are_searched_for_in_what_a_cluster_is_made_of(aws_lab):
    ec2 = aws_lab.client("ec2")
    vpc_id, _ = aws_lab.network("10.64.0.0/16")
    ec2.create_tags(Resources=[vpc_id], Tags=TAGS)
    ec2.allocate_address(Domain="vpc", TagSpecifications=tagged_as("elastic-ip"))
    ec2.create_network_acl(VpcId=vpc_id, TagSpecifications=tagged_as("network-acl"))
    ec2.create_launch_template(
        LaunchTemplateName="ending",
        LaunchTemplateData={"InstanceType": "m5.large"},
        TagSpecifications=tagged_as("launch-template"),
    )
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc_id,
        ServiceName="com.amazonaws.us-east-1.s3",
        VpcEndpointType="Gateway",
        TagSpecifications=tagged_as("vpc-endpoint"),
    )["VpcEndpoint"]["VpcEndpointId"]
    kinds = {"elastic-ip", "launch-template", "network-acl", "vpc", "vpc-endpoint"}
    assert found(aws_lab) == kinds

    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])

    assert found(aws_lab) == kinds - {"vpc-endpoint"}
