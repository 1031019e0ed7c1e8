"""No call to AWS outlasts its deadline, however its answer comes."""

import time

import boto3
import pytest
from prefect_aws import AwsCredentials

from corral.clients.aws import Ec2, deadlines, open_session
from corral.cluster import AwsPlace
from corral.errors import AwsUnavailableError
from tasks import connect
from tests.unit.drips import Drips

REGION = "us-east-1"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 100000\r\n\r\n"
ENDLESS_HEAD = b"HTTP/1.1 200 OK\r\nX-Slow: "


def session_of_a_block() -> boto3.Session:
    """Return a session with credentials that Prefect keeps."""
    return connect.aws(
        AwsPlace(
            account_id="123456789012", region=REGION, credentials="prod", state_bucket="states"
        )
    )


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(deadlines, "CALL_S", 0.3)


@pytest.mark.parametrize("head", [HEAD, ENDLESS_HEAD], ids=["body", "head"])
def test_an_answer_that_trickles_is_given_up(monkeypatch, head):
    with Drips(head) as drips:
        monkeypatch.setenv("AWS_ENDPOINT_URL", drips.url)
        began = time.monotonic()

        with pytest.raises(AwsUnavailableError, match="takes longer than 0 s"):
            Ec2(open_session(REGION)).list()

        assert time.monotonic() - began < 5


def test_a_session_of_a_block_has_the_same_deadline(monkeypatch):
    monkeypatch.setattr(
        AwsCredentials,
        "load",
        lambda _: AwsCredentials(aws_access_key_id="key", aws_secret_access_key="secret"),
    )
    with Drips(HEAD) as drips:
        monkeypatch.setenv("AWS_ENDPOINT_URL", drips.url)

        with pytest.raises(AwsUnavailableError, match="takes longer"):
            Ec2(session_of_a_block()).list()


def test_a_call_that_was_given_up_is_not_tried_again(monkeypatch):
    with Drips(HEAD.replace(b"200 OK", b"503 Busy"), most=10) as drips:
        monkeypatch.setenv("AWS_ENDPOINT_URL", drips.url)

        with pytest.raises(AwsUnavailableError):
            Ec2(open_session(REGION)).list()
        drips.wait_for_ends(1)
        time.sleep(1.5)  # longer than the pause before a second try

        assert drips.asked == 1
