from traceback import format_exception

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)
from botocore.parsers import ResponseParserError

from corral.clients.aws.calls import open_session, translated
from corral.errors import (
    AccessDeniedError,
    AwsError,
    AwsUnavailableError,
    CorralError,
    CredentialsError,
    WrongRegionError,
)


def answer(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "so it is"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "CreateBucket",
    )


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (NoCredentialsError(), CredentialsError),
        (answer("ExpiredToken"), CredentialsError),
        (answer("InvalidClientTokenId", 403), CredentialsError),
        (answer("SignatureDoesNotMatch", 403), CredentialsError),
        (answer("AccessDenied", 403), AccessDeniedError),
        (answer("UnauthorizedOperation", 403), AccessDeniedError),
        (answer("Throttling"), AwsUnavailableError),
        (answer("NeverHeardOfIt", 503), AwsUnavailableError),
        (EndpointConnectionError(endpoint_url="https://x"), AwsUnavailableError),
        (answer("NeverHeardOfIt", 401), CredentialsError),
        (ResponseParserError("invalid XML received: b'<html>'"), AwsUnavailableError),
        (KeyError("DescribeAutoScalingInstancesResult"), AwsUnavailableError),
        (answer("InvalidBucketName"), AwsError),
        (ParamValidationError(report="Name is missing"), AwsError),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value)[:60],
)
def test_each_failure_becomes_the_error_one_can_react_to(raised, expected):
    with pytest.raises(CorralError) as caught, translated("s3"):
        raise raised

    assert type(caught.value) is expected


def test_an_answer_that_cannot_be_read_is_not_quoted():
    with pytest.raises(AwsUnavailableError, match="was cut") as caught, translated("ec2"):
        raise ResponseParserError("invalid XML received: b'<html>'")

    assert "html" not in str(caught.value)
    assert caught.value.__suppress_context__


SIGNED = (
    "The request signature we calculated does not match the signature you provided.\n\n"
    "The Canonical String for this request should have been\n'POST\n/\n\n"
    "x-amz-security-token:FwoGZXIvYXdzSECRET\n'"
)


@pytest.mark.parametrize(
    "code", ["SignatureDoesNotMatch", "ExpiredToken", "AccessDenied", "Throttling", "Other"]
)
def test_no_request_that_aws_quotes_gets_into_a_message(code):
    refused = ClientError({"Error": {"Code": code, "Message": SIGNED}}, "GetCallerIdentity")

    with pytest.raises(CorralError, match="does not match") as caught, translated("sts"):
        raise refused

    assert "SECRET" not in "".join(format_exception(caught.value))


def test_long_words_of_aws_are_cut():
    long = {"Error": {"Code": "Other", "Message": "Encoded authorization failure: " + 999 * "x"}}

    with pytest.raises(AwsError, match=r"failure: x+\.\.\.$") as caught, translated("ec2"):
        raise ClientError(long, "DescribeInstances")

    assert len(str(caught.value)) < 500


def test_boto3s_own_words_are_one_line():
    with pytest.raises(AwsError, match="failed: Name is missing"), translated("s3"):
        raise ParamValidationError(report="Name is missing")


def test_a_refusal_names_the_action_as_a_policy_spells_it():
    with pytest.raises(AccessDeniedError, match="s3:CreateBucket"), translated("s3"):
        raise answer("AccessDenied", 403)


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("elbv2", "DescribeTargetHealth", "elasticloadbalancing:DescribeTargetHealth"),
        ("s3", "HeadBucket", "s3:ListBucket"),
        ("s3", "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
        ("rds", "DescribeDBInstances", "rds:DescribeDBInstances"),
    ],
)
def test_an_action_has_the_name_that_policies_know(service, operation, action):
    refused = ClientError({"Error": {"Code": "AccessDenied"}}, operation)

    with pytest.raises(AccessDeniedError) as caught, translated(service):
        raise refused

    assert caught.value.action == action


def test_a_profile_that_is_not_there_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_PROFILE", "nobodys")

    with pytest.raises(CredentialsError, match="nobodys"):
        open_session("us-east-1")


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_an_environment_that_means_another_region_is_refused(monkeypatch, name):
    for each in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, "eu-west-1")

    with pytest.raises(WrongRegionError, match="say region eu-west-1"):
        open_session("us-east-1")


def test_only_what_may_pass_is_temporary():
    assert AwsUnavailableError.temporary
    assert not AwsError.temporary
    assert not CredentialsError.temporary
