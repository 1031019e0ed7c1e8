"""Each gap between moto and AWS that the lab closes."""

import json

import pytest
from aws_lab import AwsLab, eventually


def database(aws_lab: AwsLab, name: str) -> dict:
    rds = aws_lab.client("rds")
    return rds.create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.micro",
        Engine="mysql",
        MasterUsername="rancher",
        MasterUserPassword="a-password",
        AllocatedStorage=20,
    )["DBInstance"]


def test_each_database_has_a_resource_id_of_its_own(aws_lab):
    first, second = database(aws_lab, "first"), database(aws_lab, "second")

    assert first["DbiResourceId"] != second["DbiResourceId"]
    assert len(first["DbiResourceId"]) == len("db-M5ENSHXFPU6XHZ4G4ZEI5QIO2U")


def test_a_parameter_that_was_set_is_answered_as_set_by_a_user(aws_lab):
    rds = aws_lab.client("rds")
    group = {"DBParameterGroupName": "params"}
    rds.create_db_parameter_group(**group, DBParameterGroupFamily="mysql5.7", Description="d")
    wanted = {"ParameterValue": "33554432", "ApplyMethod": "immediate"}
    parameter = {"ParameterName": "max_allowed_packet", **wanted}
    rds.modify_db_parameter_group(**group, Parameters=[parameter])

    (found,) = rds.describe_db_parameters(**group, Source="user")["Parameters"]
    assert found["Source"] == "user"
    assert wanted.items() <= found.items()
    assert rds.describe_db_parameters(**group, Source="system")["Parameters"] == []


def test_a_parameter_that_is_reset_is_no_longer_set(aws_lab):
    rds = aws_lab.client("rds")
    group = {"DBParameterGroupName": "reset"}
    rds.create_db_parameter_group(**group, DBParameterGroupFamily="mysql5.7", Description="d")
    names = ("max_connections", "wait_timeout")
    rds.modify_db_parameter_group(
        **group,
        Parameters=[
            {"ParameterName": name, "ParameterValue": "9", "ApplyMethod": "immediate"}
            for name in names
        ],
    )
    reset = {"ParameterName": "wait_timeout", "ApplyMethod": "immediate"}
    rds.reset_db_parameter_group(**group, Parameters=[reset])

    left = rds.describe_db_parameters(**group)["Parameters"]
    assert [one["ParameterName"] for one in left] == ["max_connections"]


def test_a_hook_has_the_target_it_was_given_and_none_by_itself(aws_lab):
    scaling = aws_lab.client("autoscaling")
    aws_lab.group("hooked", 0)
    common = {
        "AutoScalingGroupName": "hooked",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
    }
    scaling.put_lifecycle_hook(LifecycleHookName="plain", **common)
    scaling.put_lifecycle_hook(
        LifecycleHookName="told",
        NotificationTargetARN="arn:aws:sqs:us-east-1:123456789012:own",
        RoleARN="arn:aws:iam::123456789012:role/own",
        NotificationMetadata="pool=web",
        **common,
    )

    hooks = scaling.describe_lifecycle_hooks(AutoScalingGroupName="hooked")["LifecycleHooks"]
    plain, told = sorted(hooks, key=lambda hook: hook["LifecycleHookName"])
    assert "NotificationTargetARN" not in plain
    assert "RoleARN" not in plain
    assert told["NotificationTargetARN"].endswith(":own")
    assert told["NotificationMetadata"] == "pool=web"


def test_a_policy_is_enabled_and_has_no_block_of_another_kind(aws_lab):
    scaling = aws_lab.client("autoscaling")
    aws_lab.group("tracked", 0)
    scaling.put_scaling_policy(
        AutoScalingGroupName="tracked",
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
            "TargetValue": 60.0,
        },
    )

    (policy,) = scaling.describe_policies(AutoScalingGroupName="tracked")["ScalingPolicies"]
    assert policy["Enabled"]
    assert "PredictiveScalingConfiguration" not in policy
    assert policy["TargetTrackingConfiguration"]["TargetValue"] == 60.0


def test_policies_and_schedules_of_one_name_are_each_groups_own(aws_lab):
    scaling = aws_lab.client("autoscaling")
    for number, name in enumerate(("one", "two")):
        aws_lab.group(name, 0)
        scaling.put_scaling_policy(
            AutoScalingGroupName=name,
            PolicyName="more",
            AdjustmentType="ChangeInCapacity",
            ScalingAdjustment=number + 1,
        )
        scaling.put_scheduled_update_group_action(
            AutoScalingGroupName=name,
            ScheduledActionName="night",
            Recurrence="0 22 * * *",
            DesiredCapacity=number,
        )
    scaling.delete_policy(AutoScalingGroupName="one", PolicyName="more")
    scaling.delete_scheduled_action(AutoScalingGroupName="one", ScheduledActionName="night")

    policies = scaling.describe_policies()["ScalingPolicies"]
    assert [p["AutoScalingGroupName"] for p in policies if p["PolicyName"] == "more"] == ["two"]
    (action,) = scaling.describe_scheduled_actions()["ScheduledUpdateGroupActions"]
    assert (action["AutoScalingGroupName"], action["DesiredCapacity"]) == ("two", 1)
    assert action["ScheduledActionARN"].endswith("/two:scheduledActionName/night")


def test_rules_that_name_a_group_have_their_description(aws_lab):
    ec2 = aws_lab.client("ec2")
    vpc_id, _ = aws_lab.network()
    group_id = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc_id)["GroupId"]
    pair = {"GroupId": group_id, "Description": "MySQL from the control nodes"}
    ports = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306}
    ec2.authorize_security_group_ingress(
        GroupId=group_id, IpPermissions=[{**ports, "UserIdGroupPairs": [pair]}]
    )

    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group_id]}])
    texts = [rule.get("Description") for rule in rules["SecurityGroupRules"]]
    assert "MySQL from the control nodes" in texts


def test_an_acl_entry_keeps_its_icmp_type_and_code(aws_lab):
    ec2 = aws_lab.client("ec2")
    vpc_id, _ = aws_lab.network()
    acl_id = ec2.create_network_acl(VpcId=vpc_id)["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(
        NetworkAclId=acl_id,
        RuleNumber=100,
        Protocol="1",
        RuleAction="allow",
        Egress=False,
        CidrBlock="0.0.0.0/0",
        IcmpTypeCode={"Type": 3, "Code": 4},
    )

    entries = ec2.describe_network_acls(NetworkAclIds=[acl_id])["NetworkAcls"][0]["Entries"]
    assert [e["IcmpTypeCode"] for e in entries if e["RuleNumber"] == 100] == [
        {"Type": 3, "Code": 4}
    ]


def test_a_queues_policies_are_answered_as_they_were_written(aws_lab):
    sqs = aws_lab.client("sqs")
    failed = sqs.create_queue(QueueName="texts-failed")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=failed, AttributeNames=["QueueArn"])["Attributes"]
    texts = {
        "Policy": '{"Version":"2012-10-17","Statement":[]}',
        "RedrivePolicy": f'{{"deadLetterTargetArn":"{arn["QueueArn"]}","maxReceiveCount":5}}',
        "RedriveAllowPolicy": '{"redrivePermission":"denyAll"}',
    }
    queue = sqs.create_queue(QueueName="texts", Attributes=texts)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "60"})

    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert texts.items() <= found.items()
    assert found["VisibilityTimeout"] == "60"
    assert (
        "RedrivePolicy"
        not in sqs.get_queue_attributes(QueueUrl=failed, AttributeNames=["All"])["Attributes"]
    )


def test_a_managed_policy_of_aws_can_be_attached(aws_lab):
    iam = aws_lab.client("iam")
    iam.create_role(RoleName="machine", AssumeRolePolicyDocument=json.dumps({"Statement": []}))
    arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    iam.attach_role_policy(RoleName="machine", PolicyArn=arn)

    attached = iam.list_attached_role_policies(RoleName="machine")["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == [arn]


def test_a_policy_that_aws_does_not_have_cannot_be_attached(aws_lab):
    iam = aws_lab.client("iam")
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps({"Statement": []}))

    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.attach_role_policy(RoleName="other", PolicyArn="arn:aws:iam::aws:policy/NoSuchPolicy")


def test_a_certificate_is_issued_only_once_its_record_is_in_dns(aws_lab):
    acm, route53 = aws_lab.client("acm"), aws_lab.client("route53")
    arn = acm.request_certificate(DomainName="r.corral.test", ValidationMethod="DNS")[
        "CertificateArn"
    ]

    before = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    record = before["DomainValidationOptions"][0]["ResourceRecord"]
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    record_set = {
        "Name": record["Name"],
        "Type": "CNAME",
        "TTL": 60,
        "ResourceRecords": [{"Value": record["Value"]}],
    }
    route53.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record_set}]},
    )

    assert before["Status"] == "PENDING_VALIDATION"
    after = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert after["Status"] == "ISSUED"


def test_an_update_leaves_the_mixed_instances_policy_alone(aws_lab):
    scaling = aws_lab.client("autoscaling")
    aws_lab.group("plain-first", 0)
    template = {"LaunchTemplateName": "plain-first", "Version": "$Latest"}
    aws_lab.group(
        "mixed",
        4,
        MixedInstancesPolicy={
            "LaunchTemplate": {"LaunchTemplateSpecification": template},
            "InstancesDistribution": {
                "OnDemandBaseCapacity": 0,
                "OnDemandPercentageAboveBaseCapacity": 50,
            },
        },
    )
    scaling.update_auto_scaling_group(AutoScalingGroupName="mixed", MaxSize=20)

    (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["mixed"])[
        "AutoScalingGroups"
    ]
    shares = group["MixedInstancesPolicy"]["InstancesDistribution"]
    assert shares["OnDemandPercentageAboveBaseCapacity"] == 50
    reservations = aws_lab.client("ec2").describe_instances(
        InstanceIds=[one["InstanceId"] for one in group["Instances"]]
    )["Reservations"]
    kinds = [one["Instances"][0].get("InstanceLifecycle") for one in reservations]
    assert sorted(kinds, key=str) == [None, None, "spot", "spot"]


def test_a_group_keeps_its_maintenance_policy_until_it_is_cleared(aws_lab):
    scaling = aws_lab.client("autoscaling")
    shares = {"MinHealthyPercentage": 66, "MaxHealthyPercentage": 100}
    aws_lab.group("kept", 0, InstanceMaintenancePolicy=shares, DefaultInstanceWarmup=300)

    def shown() -> dict:
        (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["kept"])[
            "AutoScalingGroups"
        ]
        return group

    scaling.update_auto_scaling_group(AutoScalingGroupName="kept", MaxSize=5)
    assert shown()["InstanceMaintenancePolicy"] == shares
    assert shown()["DefaultInstanceWarmup"] == 300

    cleared = dict.fromkeys(shares, -1)
    scaling.update_auto_scaling_group(
        AutoScalingGroupName="kept", InstanceMaintenancePolicy=cleared, DefaultInstanceWarmup=-1
    )
    assert "InstanceMaintenancePolicy" not in shown()
    assert "DefaultInstanceWarmup" not in shown()


def test_the_account_has_a_zone_and_an_image_and_no_others(aws_lab):
    zones = aws_lab.client("route53").list_hosted_zones()["HostedZones"]
    images = aws_lab.client("ec2").describe_images(Owners=["self"])["Images"]

    assert [zone["Name"] for zone in zones] == ["corral.test."]
    assert [image["Name"] for image in images] == ["corral-node-2026.11.0"]
    assert images[0]["OwnerId"] == "123456789012"


def test_names_lead_to_the_database_by_way_of_a_cname(aws_lab):
    database(aws_lab, "named")
    address = next(one.address for one in aws_lab.aws.databases() if one.identifier == "named")
    route53 = aws_lab.client("route53")
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    record_set = {
        "Name": "db.corral.test",
        "Type": "CNAME",
        "TTL": 60,
        "ResourceRecords": [{"Value": address}],
    }
    route53.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record_set}]},
    )

    assert aws_lab.aws.resolve("db.corral.test") == address
    found = aws_lab.aws.database_by_endpoint("db.corral.test")
    assert (found.identifier, found.password) == ("named", "a-password")
    assert aws_lab.aws.resolve("nobody.corral.test") is None


def test_changes_of_instances_are_told(aws_lab):
    heard = []
    aws_lab.aws.subscribe(lambda *change: heard.append(change))
    ec2 = aws_lab.client("ec2")
    image = ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]

    eventually(lambda: (made, None, "running") in heard)
    ec2.terminate_instances(InstanceIds=[made])
    eventually(lambda: any(change[0] == made and change[2] == "terminated" for change in heard))


def test_a_terminated_instance_shuts_down_first(aws_lab):
    ec2 = aws_lab.client("ec2")
    image = ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    aws_lab.aws.set_power(made, on=True)
    ec2.terminate_instances(InstanceIds=[made])

    assert aws_lab.instance_state(made) == "shutting-down"
    aws_lab.aws.set_power(made, on=False)
    eventually(lambda: aws_lab.instance_state(made) == "terminated")


def test_tags_are_answered_and_filtered_by(aws_lab):
    ec2 = aws_lab.client("ec2")
    vpc_id, _ = aws_lab.network()
    ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": "Cluster", "Value": "tagged"}])

    filters = [{"Name": "tag:Cluster", "Values": ["tag*"]}]
    (vpc,) = ec2.describe_vpcs(Filters=filters)["Vpcs"]
    assert vpc["Tags"] == [{"Key": "Cluster", "Value": "tagged"}]


def test_a_terminated_instance_has_no_address(aws_lab):
    ec2 = aws_lab.client("ec2")
    _, subnets = aws_lab.network()
    image = ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnets[0])
    instance_id = made["Instances"][0]["InstanceId"]

    def described() -> dict:
        found = ec2.describe_instances(InstanceIds=[instance_id])
        return found["Reservations"][0]["Instances"][0]

    assert described()["PrivateIpAddress"].startswith("10.42.")
    ec2.terminate_instances(InstanceIds=[instance_id])
    eventually(lambda: aws_lab.instance_state(instance_id) == "terminated")
    assert "PrivateIpAddress" not in described()
    assert not described().get("PrivateDnsName")


def test_only_a_listener_with_tls_has_a_security_policy(aws_lab):
    elb = aws_lab.client("elbv2")
    _, subnets = aws_lab.network()
    balancer = elb.create_load_balancer(Name="policies", Subnets=subnets)["LoadBalancers"][0]
    action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    arn = aws_lab.client("acm").request_certificate(DomainName="p.corral.test")["CertificateArn"]
    for port, more in (
        (80, {"Protocol": "HTTP"}),
        (443, {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": arn}]}),
    ):
        elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"], Port=port, DefaultActions=[action], **more
        )

    found = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert {one["Port"]: one.get("SslPolicy") for one in found} == {
        80: None,
        443: "ELBSecurityPolicy-2016-08",
    }


@pytest.mark.parametrize(("exists", "status"), [(True, "SUCCESS"), (False, "FAILED")])
def test_a_flow_log_finds_its_group_by_arn(aws_lab, exists, status):
    ec2, logs = aws_lab.client("ec2"), aws_lab.client("logs")
    vpc_id, _ = aws_lab.network()
    if exists:
        logs.create_log_group(logGroupName="/flows/known")
    name = "/flows/known" if exists else "/flows/unknown"
    (made,) = ec2.create_flow_logs(
        ResourceIds=[vpc_id],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="cloud-watch-logs",
        LogDestination=f"arn:aws:logs:us-east-1:123456789012:log-group:{name}",
        DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/flows",
    )["FlowLogIds"]

    (log,) = ec2.describe_flow_logs(FlowLogIds=[made])["FlowLogs"]
    assert (log["FlowLogStatus"], log["DeliverLogsStatus"]) == ("ACTIVE", status)


def test_a_database_takes_its_time_to_come_and_to_go(aws_lab):
    rds = aws_lab.client("rds")
    name = {"DBInstanceIdentifier": "slow"}

    def described() -> dict:
        return rds.describe_db_instances(**name)["DBInstances"][0]

    assert database(aws_lab, "slow")["DBInstanceStatus"] == "creating"
    assert described()["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in described()
    eventually(lambda: described()["DBInstanceStatus"] == "available", 10.0)
    address = described()["Endpoint"]["Address"]

    gone = rds.delete_db_instance(**name, SkipFinalSnapshot=True)["DBInstance"]
    assert gone["DBInstanceStatus"] == "deleting"
    with pytest.raises(rds.exceptions.InvalidDBInstanceStateFault, match="already being deleted"):
        rds.delete_db_instance(**name, SkipFinalSnapshot=True)
    eventually(lambda: aws_lab.aws.database_by_endpoint(address) is None)
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        described()
