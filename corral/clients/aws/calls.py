"""How AWS is called: sessions, timeouts, retries, and its errors as ours, translated here only."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from corral.clients.aws.deadlines import limited
from corral.errors import (
    AccessDeniedError,
    AwsError,
    AwsUnavailableError,
    CorralError,
    CredentialsError,
    WrongRegionError,
)

CONFIG: Final = Config(
    retries={"mode": "standard", "max_attempts": 5},
    connect_timeout=5,
    read_timeout=30,
    user_agent_extra="corral",
)

_NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
_REJECTED = frozenset(
    {
        "AuthFailure",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_DENIED = frozenset(
    {"403", "AccessDenied", "AccessDeniedException", "Forbidden", "UnauthorizedOperation"}
)
_BUSY = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ResourceContention",
        "ScalingActivityInProgress",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_LONGEST_WORDS: Final = 400
_UNAUTHORIZED = 401
_SERVER_FAULT = 500

_IAM_SERVICES = {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing"}
# Source: Service Authorization Reference, Amazon S3.
_IAM_ACTIONS_OF_S3 = {
    "HeadBucket": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}


def open_session(region: str) -> boto3.Session:
    """Return a session with the ambient credentials: environment, profile, or role.

    No call of it takes longer than `deadlines` allows.

    Raises:
        CredentialsError: AWS_PROFILE names a profile that is not there.
        WrongRegionError: The environment or the profile mean another region.

    """
    with translated("sts"):
        ambient = boto3.Session().region_name
        session = limited(boto3.Session(region_name=region))
    # AWS_REGION is heard by other tools of AWS, but not by boto3.
    for found in (os.environ.get("AWS_REGION"), ambient):
        check_region(found, region)
    return session


def check_region(found: str | None, expected: str) -> None:
    """See to it that whoever gave the credentials does not mean another region; None means any.

    Raises:
        WrongRegionError: They do.

    """
    if found and found != expected:
        raise WrongRegionError(expected, found)


@contextmanager
def translated(service: str) -> Iterator[None]:
    """Turn what boto3 raises in this block into our errors.

    Args:
        service: As boto3 or IAM spell it, `s3`; part of the action an AccessDeniedError names.

    """
    try:
        yield
    except ClientError as error:
        # Its words may quote the request, the session's token included.
        raise _of_answer(service, error) from None
    except _NO_CREDENTIALS as error:
        raise CredentialsError(
            "No AWS credentials are found: log in (`aws sso login`), set AWS_PROFILE or"
            f" AWS_ACCESS_KEY_ID, or name a credentials block in the cluster file. {_brief(error)}"
        ) from error
    except NoRegionError as error:
        raise CredentialsError(f"No AWS region is set: {_brief(error)}") from error
    except (ConnectionError, HTTPClientError) as error:
        raise AwsUnavailableError(service, type(error).__name__, _brief(error)) from error
    # The parser of XML takes the name of an answer for granted.
    except (ResponseParserError, KeyError) as error:
        # Its words quote all of the answer.
        raise AwsUnavailableError(
            service, type(error).__name__, "an answer that was cut, or is not AWS's"
        ) from None
    except BotoCoreError as error:
        # boto3's own, which has many lines.
        words = " ".join(str(error).split())
        raise AwsError(service, type(error).__name__, _brief(words)) from error


def batches(ids: Iterable[str], most: int) -> Iterator[list[str]]:
    """Yield each of these ids once, as many at a time as one call takes, in order."""
    unique = sorted(set(ids))
    for start in range(0, len(unique), most):
        yield unique[start : start + most]


def code_of(error: ClientError) -> str:
    """Return AWS's error code."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def _brief(words: object) -> str:
    """Return the first line of somebody else's words, not too much of it.

    AWS may quote all of a request below it, the session's token included.
    """
    line = str(words).strip().partition("\n")[0].strip()
    return line if len(line) <= _LONGEST_WORDS else f"{line[:_LONGEST_WORDS]}..."


def _action(service: str, operation: str) -> str:
    """Return what an IAM policy calls an operation."""
    service = _IAM_SERVICES.get(service, service)
    if service == "s3":
        operation = _IAM_ACTIONS_OF_S3.get(operation, operation)
    return f"{service}:{operation}"


def _of_answer(service: str, error: ClientError) -> CorralError:
    code, operation = code_of(error), error.operation_name
    message = _brief(error.response.get("Error", {}).get("Message", ""))
    if code in _EXPIRED:
        return CredentialsError(f"The AWS credentials have expired: log in again. {message}")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _REJECTED or status == _UNAUTHORIZED:
        return CredentialsError(
            f"AWS does not accept these credentials: check AWS_PROFILE or the keys. {message}"
        )
    if code in _DENIED:
        return AccessDeniedError(_action(service, operation), message)
    if code in _BUSY or status >= _SERVER_FAULT:
        return AwsUnavailableError(operation, code, message)
    return AwsError(operation, code, message)
