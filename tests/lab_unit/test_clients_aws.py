"""The AWS client against moto."""

import hashlib
import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from corral.clients.aws import (
    SecretVault,
    check_account,
    check_zones,
    ensure_state_bucket,
    hosted_zone,
    issued_certificate,
    newest_image,
    open_session,
    read_group,
    scale_group,
    wholeness,
)
from corral.domain.plans import Action, Change, Wholeness
from corral.errors import AmbiguousError, PrerequisiteError, WrongAccountError

ACCOUNT = "123456789012"
TAGS = {"Cluster": "lab", "ManagedBy": "corral"}


@pytest.fixture(scope="module")
def session() -> Iterator[boto3.Session]:
    """One moto for all: a reset takes a third of a second, so names keep the tests apart."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS", "false")
        patch.setattr("moto.settings.ACM_VALIDATION_WAIT", -1)
        with mock_aws():
            yield open_session("us-east-1")


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name of its own for what a test makes."""
    digest = hashlib.sha256(request.node.nodeid.encode()).hexdigest()
    return f"t{digest[:12]}"


def test_the_right_account_may_pass(session):
    assert check_account(session, ACCOUNT).account_id == ACCOUNT


def test_another_account_is_refused_with_both_names(session):
    with pytest.raises(WrongAccountError) as caught:
        check_account(session, "999999999999")

    assert "account 123456789012" in str(caught.value)
    assert "999999999999" in str(caught.value)


def test_zones_of_the_region_may_pass(session):
    check_zones(session, ["us-east-1a", "us-east-1b"])


def test_a_missing_zone_is_named_with_those_that_are_there(session):
    with pytest.raises(PrerequisiteError, match=r"no zone eu-west-1z; it has us-east-1a"):
        check_zones(session, ["us-east-1a", "eu-west-1z"])


def ensure(session: boto3.Session, name: str, account: str = ACCOUNT) -> list[str]:
    return ensure_state_bucket(session, name, account, TAGS)


def test_a_missing_state_bucket_is_made_safe(session, name):
    changed = ensure(session, name)

    s3 = session.client("s3")
    assert changed[0] == "created"
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]
    assert rule["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    blocked = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
    assert policy["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    tags = s3.get_bucket_tagging(Bucket=name)["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == TAGS


def test_a_good_state_bucket_is_left_alone(session, name):
    ensure(session, name)

    assert ensure(session, name) == []


def test_a_state_bucket_in_another_region_is_made_there(session, name):
    ensure(open_session("eu-central-1"), name)

    place = session.client("s3").get_bucket_location(Bucket=name)
    assert place["LocationConstraint"] == "eu-central-1"


def test_settings_that_somebody_changed_are_healed_and_the_rest_is_kept(session, name):
    ensure(session, name)
    s3 = session.client("s3")
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_public_access_block(Bucket=name)
    theirs = {
        "Sid": "Theirs",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    s3.put_bucket_policy(
        Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [theirs]})
    )
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "Owner", "Value": "ann"}]})

    assert ensure(session, name) == ["versioning", "public access block", "TLS-only policy", "tags"]
    policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == ["Theirs", "OnlyTls"]
    tags = {tag["Key"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert tags == {"Owner", "Cluster", "ManagedBy"}


def test_a_bucket_of_another_account_is_refused(session, name, monkeypatch):
    with monkeypatch.context() as other:
        other.setenv("MOTO_ACCOUNT_ID", "210987654321")
        session.client("s3").create_bucket(Bucket=name)

    with pytest.raises(PrerequisiteError, match="another account"):
        ensure(session, name)


def register_image(session: boto3.Session, name: str) -> str:
    return session.client("ec2").register_image(Name=name, RootDeviceName="/dev/xvda")["ImageId"]


def test_the_newest_matching_image_is_taken(session, name):
    register_image(session, f"{name}-2026.10.0")
    newest = register_image(session, f"{name}-2026.11.0")
    register_image(session, f"other-{name}")

    assert newest_image(session, f"{name}-*").image_id == newest


def test_no_matching_image_is_said_with_what_to_do(session):
    with pytest.raises(PrerequisiteError, match=r"named corral-node-\*: bake one"):
        newest_image(session, "corral-node-*")


def test_an_issued_certificate_is_found_by_its_name(session, name):
    acm = session.client("acm")
    request = acm.request_certificate(DomainName=f"{name}.test", ValidationMethod="DNS")

    assert issued_certificate(session, f"{name}.test") == request["CertificateArn"]


def test_a_certificate_that_waits_for_its_validation_does_not_count(session, name, monkeypatch):
    monkeypatch.setattr("moto.settings.ACM_VALIDATION_WAIT", 60)
    session.client("acm").request_certificate(DomainName=f"{name}.test", ValidationMethod="DNS")

    with pytest.raises(PrerequisiteError):
        issued_certificate(session, f"{name}.test")


def test_no_issued_certificate_is_said_with_what_to_do(session, name):
    with pytest.raises(PrerequisiteError, match="certificate: create"):
        issued_certificate(session, f"{name}.test")


def make_zone(session: boto3.Session, name: str) -> str:
    zone = session.client("route53").create_hosted_zone(Name=name, CallerReference=name)
    return zone["HostedZone"]["Id"].rsplit("/", maxsplit=1)[-1]


def test_a_public_zone_is_found_by_its_name(session, name):
    make_zone(session, f"a{name}.test")
    zone_id = make_zone(session, f"{name}.test")

    assert hosted_zone(session, f"{name}.test") == zone_id


def test_a_missing_zone_is_said(session, name):
    make_zone(session, f"a.{name}.test")

    with pytest.raises(PrerequisiteError, match=f"no public zone {name}"):
        hosted_zone(session, f"{name}.test")


def test_a_zone_that_exists_twice_is_not_guessed(session, name):
    make_zone(session, f"{name}.test")
    make_zone(session, f"{name}.test.")

    with pytest.raises(AmbiguousError, match="exists 2 times"):
        hosted_zone(session, f"{name}.test")


def test_a_secret_that_is_not_there_is_nothing(session, name):
    assert SecretVault(session, TAGS).read(name) is None


def test_a_secret_is_made_changed_and_read(session, name):
    vault = SecretVault(session, TAGS)

    vault.write(name, {"access_key": "a"})
    vault.write(name, {"access_key": "b"})

    assert vault.read(name) == {"access_key": "b"}
    secret = session.client("secretsmanager").describe_secret(SecretId=name)
    assert {tag["Key"]: tag["Value"] for tag in secret["Tags"]} == TAGS


def test_an_equal_secret_gets_no_new_version(session, name):
    vault = SecretVault(session, TAGS)
    vault.write(name, {"key": "a"})

    vault.write(name, {"key": "a"})

    versions = session.client("secretsmanager").list_secret_version_ids(SecretId=name)
    assert len(versions["Versions"]) == 1


def test_a_secret_that_is_to_be_deleted_is_nothing_until_it_is_written_again(session, name):
    vault = SecretVault(session, TAGS)
    vault.write(name, {"key": "a"})
    session.client("secretsmanager").delete_secret(SecretId=name)

    before = vault.read(name)
    vault.write(name, {"key": "b"})

    assert before is None
    assert vault.read(name) == {"key": "b"}


def test_a_secret_of_another_shape_is_refused_without_its_value(session, name):
    session.client("secretsmanager").create_secret(Name=name, SecretString="hunter2")

    with pytest.raises(PrerequisiteError) as caught:
        SecretVault(session, TAGS).read(name)

    assert "hunter2" not in str(caught.value)


def make_group(session: boto3.Session, name: str, *, desired: int) -> None:
    ec2, autoscaling = session.client("ec2"), session.client("autoscaling")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    autoscaling.create_launch_configuration(
        LaunchConfigurationName=name, ImageId=register_image(session, name), InstanceType="t3.small"
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchConfigurationName=name,
        MinSize=1,
        DesiredCapacity=desired,
        MaxSize=3,
        VPCZoneIdentifier=subnet,
    )


def test_a_group_knows_its_members_and_their_addresses(session, name):
    make_group(session, name, desired=2)

    group = read_group(session, name)

    assert (group.minimum, group.desired, group.maximum) == (1, 2, 3)
    assert [member.lifecycle for member in group.members] == ["InService", "InService"]
    assert all(member.private_ip.startswith("10.0.0.") for member in group.members)


def test_a_group_without_members_is_no_error(session, name):
    make_group(session, name, desired=1)
    session.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=name, MinSize=0, DesiredCapacity=0
    )

    assert read_group(session, name).members == ()


@pytest.mark.parametrize(
    ("desired", "size", "changed", "after"),
    [(1, 3, True, (3, 3)), (3, 3, True, (3, 3)), (2, 1, False, (1, 2))],
    ids=["grows", "minimum-follows", "never-shrinks"],
)
def test_scaling_only_ever_raises(session, name, desired, size, changed, after):
    make_group(session, name, desired=desired)

    assert scale_group(session, name, size) is changed
    group = read_group(session, name)
    assert (group.minimum, group.desired) == after


def test_a_missing_group_is_said(session, name):
    with pytest.raises(PrerequisiteError, match=f"no auto scaling group {name}"):
        read_group(session, name)


def left_behind(type_: str, **identity: str) -> Change:
    return Change(f"{type_}.this", type_, Action.REPLACE, tainted=True, identity=identity)


def test_what_aws_makes_in_one_call_is_whole_when_it_exists(session):
    assert wholeness(session, left_behind("aws_route53_record", id="x")) is Wholeness.WHOLE


def test_a_database_is_whole_when_it_is_available(session, name):
    session.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.small",
        Engine="mysql",
        MasterUsername="rancher",
        MasterUserPassword="notasecret",
    )

    change = left_behind("aws_db_instance", id="db-ABC", identifier=name)
    assert wholeness(session, change) is Wholeness.WHOLE


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("creating", Wholeness.COMING),
        ("backing-up", Wholeness.COMING),
        ("configuring-enhanced-monitoring", Wholeness.COMING),
        ("available", Wholeness.WHOLE),
        ("failed", Wholeness.BROKEN),
        ("deleting", Wholeness.BROKEN),
    ],
)
def test_each_state_of_a_database_means_one_thing(session, name, monkeypatch, state, expected):
    from moto.rds.models import DBInstance  # noqa: PLC0415 - slow, and only for this

    session.client("rds").create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.small", Engine="mysql"
    )
    monkeypatch.setattr(DBInstance, "db_instance_status", state, raising=False)

    change = left_behind("aws_db_instance", identifier=name, id="x")
    assert wholeness(session, change) is expected


def test_a_database_that_is_gone_is_broken(session, name):
    change = left_behind("aws_db_instance", identifier=name, id="x")

    assert wholeness(session, change) is Wholeness.BROKEN


def test_a_nat_gateway_is_asked_for_its_state(session):
    ec2 = session.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_nat_gateway(SubnetId=subnet)["NatGateway"]["NatGatewayId"]

    assert wholeness(session, left_behind("aws_nat_gateway", id=gateway)) is Wholeness.WHOLE


def test_a_load_balancer_is_asked_for_its_state(session, name):
    ec2, elb = session.client("ec2"), session.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{z}")[
            "Subnet"
        ]["SubnetId"]
        for n, z in enumerate("ab")
    ]
    balancer = elb.create_load_balancer(Name=name, Subnets=subnets)["LoadBalancers"][0]

    change = left_behind("aws_lb", arn=balancer["LoadBalancerArn"], id="x")
    assert wholeness(session, change) is Wholeness.WHOLE
