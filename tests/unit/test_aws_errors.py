import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)

from corral.clients.aws.calls import translated
from corral.errors import (
    AccessDeniedError,
    AwsError,
    AwsUnavailableError,
    CorralError,
    CredentialsError,
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
        (answer("InvalidBucketName"), AwsError),
        (ParamValidationError(report="Name is missing"), AwsError),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value)[:60],
)
def test_each_failure_becomes_the_error_one_can_react_to(raised, expected):
    with pytest.raises(CorralError) as caught, translated("s3"):
        raise raised

    assert type(caught.value) is expected


def test_a_refusal_names_the_action_as_a_policy_spells_it():
    with pytest.raises(AccessDeniedError, match="s3:CreateBucket"), translated("s3"):
        raise answer("AccessDenied", 403)


def test_only_what_may_pass_is_temporary():
    assert AwsUnavailableError.temporary
    assert not AwsError.temporary
    assert not CredentialsError.temporary
