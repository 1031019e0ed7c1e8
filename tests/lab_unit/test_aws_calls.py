"""The journal and the faults in front of moto."""

import time

import boto3
import pytest
from aws_lab import KEYS
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    ResponseStreamingError,
)
from botocore.parsers import ResponseParserError

from lab.aws.operations import read_call
from lab.faults import FaultRuleError, Faults

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def lab(aws_lab):
    """Return the lab with an empty journal and no faults."""
    aws_lab.world.faults.clear()
    aws_lab.world.journal.clear()
    yield aws_lab
    aws_lab.world.faults.clear()


def fail(lab, operation: str, **effect) -> None:
    lab.world.faults.add(
        {"target": "aws", "match": {"operation": operation}, "effect": effect, "times": 1}
    )


def client(lab, service: str):
    return boto3.client(service, endpoint_url=lab.world.aws_endpoint, config=ONCE, **KEYS)


def test_the_journal_names_calls_of_every_protocol_by_aws_action(lab):
    lab.client("ec2").describe_instances()
    lab.client("autoscaling").describe_auto_scaling_groups()
    lab.client("secretsmanager").list_secrets()
    lab.client("sqs").create_queue(QueueName="named")
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="named-bucket")
    s3.put_object(Bucket="named-bucket", Key="a/b", Body=b"x")
    s3.get_object(Bucket="named-bucket", Key="a/b")
    s3.put_bucket_versioning(Bucket="named-bucket", VersioningConfiguration={"Status": "Enabled"})
    s3.list_objects_v2(Bucket="named-bucket")
    s3.delete_object(Bucket="named-bucket", Key="a/b")
    lab.client("route53").list_hosted_zones()
    lab.client("route53").list_hosted_zones()

    rows = lab.world.journal.rows()
    assert [(row["operation"], row["status"], row["count"]) for row in rows] == [
        ("DescribeInstances", 200, 1),
        ("DescribeAutoScalingGroups", 200, 1),
        ("ListSecrets", 200, 1),
        ("CreateQueue", 200, 1),
        ("CreateBucket", 200, 1),
        ("PutObject", 200, 1),
        ("GetObject", 200, 1),
        ("PutBucketVersioning", 200, 1),
        ("ListObjectsV2", 200, 1),
        ("DeleteObject", 204, 1),
        ("ListHostedZones", 200, 2),
    ]
    assert {row["target"] for row in rows} == {"aws"}


@pytest.mark.parametrize(
    ("service", "method", "operation", "code"),
    [
        ("ec2", "describe_instances", "DescribeInstances", "UnauthorizedOperation"),
        ("rds", "describe_db_instances", "DescribeDBInstances", "AccessDenied"),
        ("sqs", "list_queues", "ListQueues", "AccessDeniedException"),
        ("s3", "list_buckets", "ListBuckets", "AccessDenied"),
        ("route53", "list_hosted_zones", "ListHostedZones", "AccessDenied"),
    ],
)
def test_a_status_comes_as_the_error_that_clients_of_the_protocol_read(
    lab, service, method, operation, code
):
    fail(lab, operation, status=403)

    with pytest.raises(ClientError) as caught:
        getattr(client(lab, service), method)()
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert lab.world.journal.rows()[0]["status"] == 403


def test_a_fault_can_name_the_code_of_the_error(lab):
    body = {"code": "Throttling", "message": "Rate exceeded"}
    fail(lab, "DescribePolicies", status=400, body=body)

    with pytest.raises(ClientError, match=r"\(Throttling\).*Rate exceeded"):
        client(lab, "autoscaling").describe_policies()


def test_a_reset_breaks_the_connection(lab):
    fail(lab, "DescribeVpcs", reset=True)

    with pytest.raises((HTTPClientError, EndpointConnectionError)):
        client(lab, "ec2").describe_vpcs()
    assert lab.world.journal.rows()[0]["status"] == 0


def test_a_delay_only_delays(lab):
    fail(lab, "DescribeVpcs", delay_s=0.3)
    began = time.monotonic()

    assert client(lab, "ec2").describe_vpcs()["Vpcs"]
    assert time.monotonic() - began >= 0.3


def test_a_fault_may_look_at_parameters_too(lab):
    rule = {"operation": "DescribeLaunchTemplates", "LaunchTemplateName.1": "other"}
    lab.world.faults.add({"target": "aws", "match": rule, "effect": {"status": 503}})

    assert client(lab, "ec2").describe_launch_templates()["LaunchTemplates"] == []


def test_what_moto_does_not_serve_is_said_at_once(lab):
    with pytest.raises(ClientError, match=r"\(InvalidAction\)"):
        client(lab, "autoscaling").describe_adjustment_types()


def test_rules_are_counted_down_and_asked_in_order():
    faults = Faults()
    faults.add({"target": "rancher", "effect": {"status": 500}, "times": 1})
    faults.add({"target": "rancher", "match": {"operation": "GET /ping"}, "effect": {"delay_s": 1}})

    assert faults.take("rancher", "GET /ping").status == 500
    assert faults.take("rancher", "GET /ping").delay_s == 1
    assert faults.take("rancher", "GET /other") is None
    assert faults.take("aws", "GET /ping") is None


def test_a_rule_may_let_the_first_calls_pass():
    faults = Faults()
    faults.add({"target": "aws", "effect": {"status": 503}, "after": 2, "times": 1})

    statuses = [effect and effect.status for effect in (faults.take("aws", "X") for _ in range(4))]
    assert statuses == [None, None, 503, None]


def test_calls_that_do_not_fit_are_not_counted_as_passed():
    faults = Faults()
    match = {"operation": "DescribeInstances"}
    faults.add({"target": "aws", "match": match, "effect": {"status": 503}, "after": 1})

    assert faults.take("aws", "DescribeVpcs") is None
    assert faults.take("aws", "DescribeInstances") is None
    assert faults.take("aws", "DescribeInstances").status == 503


def test_another_account_may_answer_in_the_place_of_the_labs(lab):
    fail(
        lab,
        "GetCallerIdentity",
        body="<GetCallerIdentityResponse><GetCallerIdentityResult>"
        "<Arn>arn:aws:iam::210987654321:user/other</Arn><UserId>AIDAOTHER</UserId>"
        "<Account>210987654321</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>",
    )
    sts = client(lab, "sts")

    assert sts.get_caller_identity()["Account"] == "210987654321"
    assert sts.get_caller_identity()["Account"] == "123456789012"


def test_ec2_may_answer_an_empty_list(lab):
    fail(
        lab,
        "DescribeInstances",
        body="<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>",
    )

    assert client(lab, "ec2").describe_instances()["Reservations"] == []


def test_half_an_answer_is_a_broken_connection(lab):
    fail(lab, "DescribeVpcs", cut=True)

    with pytest.raises((HTTPClientError, ResponseStreamingError, ResponseParserError)):
        client(lab, "ec2").describe_vpcs()
    assert client(lab, "ec2").describe_vpcs()["Vpcs"]


def test_a_body_may_come_slowly(lab):
    fail(lab, "DescribeVpcs", trickle_s=0.4)
    began = time.monotonic()

    assert client(lab, "ec2").describe_vpcs()["Vpcs"]
    assert time.monotonic() - began >= 0.4


def test_a_fault_may_look_at_the_members_of_a_json_request(lab):
    for name in ("slow", "quick"):
        lab.client("sqs").create_queue(QueueName=name)
    match = {"operation": "GetQueueUrl", "QueueName": "slow"}
    lab.world.faults.add({"target": "aws", "match": match, "effect": {"status": 503}})

    with pytest.raises(ClientError):
        client(lab, "sqs").get_queue_url(QueueName="slow")
    assert client(lab, "sqs").get_queue_url(QueueName="quick")["QueueUrl"]


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ({"target": "dns", "effect": {"status": 500}}, "target has to be one of"),
        ({"target": "aws"}, "effect has to be an object"),
        ({"target": "aws", "effect": {"stauts": 500}}, "effect has to be an object"),
        ({"target": "aws", "effect": {"status": 50}}, "an HTTP status, not 50"),
        ({"target": "aws", "effect": {"delay_s": "5"}}, "a number of seconds"),
        (
            {"target": "aws", "effect": {"status": 500}, "times": 0},
            "times has to be a whole number from 1 on",
        ),
        ({"target": "aws", "effect": {"status": 500}, "tiems": 1}, "has no field tiems"),
        ({"target": "aws", "effect": {"status": 500}, "after": -1}, "a whole number from 0 on"),
        ({"target": "aws", "effect": {"cut": 1}}, "effect.cut has to be true or false"),
        ({"target": "aws", "effect": {"trickle_s": -1}}, "effect.trickle_s has to be a number"),
        ({"target": "aws", "effect": {"content_type": "html"}}, "one such as text/html"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(rule, complaint):
    with pytest.raises(FaultRuleError, match=complaint):
        Faults().add(rule)


def test_a_copy_is_told_from_a_put_by_its_header():
    scope = "AWS4-HMAC-SHA256 Credential=lab/20261122/us-east-1/s3/aws4_request"
    headers = {"authorization": scope}
    copying = {**headers, "x-amz-copy-source": "/a/b"}

    assert read_call("PUT", "/bucket/key", "", headers, b"x").operation == "PutObject"
    assert read_call("PUT", "/bucket/key", "", copying, b"").operation == "CopyObject"


@pytest.mark.parametrize(
    ("service", "request_line", "operation"),
    [
        ("route53", "POST /2013-04-01/hostedzone/Z1/rrset", "ChangeResourceRecordSets"),
        ("route53", "POST /2013-04-01/hostedzone/Z1/rrset/", "ChangeResourceRecordSets"),
        ("route53", "GET /2013-04-01/hostedzone/Z1/rrset?type=A", "ListResourceRecordSets"),
        ("route53", "GET /2013-04-01/hostedzone/Z1", "GetHostedZone"),
        ("route53", "GET /2013-04-01/change/C1", "GetChange"),
        ("s3", "GET /bucket?versioning=", "GetBucketVersioning"),
        ("s3", "GET /bucket/?versioning", "GetBucketVersioning"),
        ("s3", "GET /bucket?lifecycle", "GetBucketLifecycleConfiguration"),
        ("s3", "PUT /bucket?notification", "PutBucketNotificationConfiguration"),
        ("s3", "GET /bucket/a/b?x-id=GetObject", "GetObject"),
        ("s3", "HEAD /bucket", "HeadBucket"),
        ("s3", "GET /", "ListBuckets"),
    ],
)
def test_a_rest_call_is_named_by_its_action_however_its_path_ends(service, request_line, operation):
    method, _, uri = request_line.partition(" ")
    path, _, query = uri.partition("?")
    scope = f"AWS4-HMAC-SHA256 Credential=lab/20261122/us-east-1/{service}/aws4_request"

    assert read_call(method, path, query, {"authorization": scope}, b"").operation == operation
