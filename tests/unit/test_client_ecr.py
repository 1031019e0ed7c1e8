"""What ECR answers, as a log-in for Rancher."""

import base64
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from corral.clients.aws import ecr
from corral.errors import AccessDeniedError, AwsError

ADDRESS = "210987654321.dkr.ecr.eu-west-1.amazonaws.com"
END = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)


class OneClient:
    """A session that has one client, and remembers for which region it was asked."""

    def __init__(self) -> None:
        self.client_of_all = boto3.client(
            "ecr", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        self.stub = Stubber(self.client_of_all)
        self.region = ""

    def client(self, _service: str, *, region_name: str, config: object) -> object:
        assert config
        self.region = region_name
        self.stub.activate()
        return self.client_of_all


@pytest.fixture
def session() -> OneClient:
    return OneClient()


def token(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def answer(session: OneClient, *rows: dict) -> None:
    session.stub.add_response("get_authorization_token", {"authorizationData": list(rows)}, {})


def test_a_login_is_user_password_and_when_it_ends(session):
    answer(session, {"authorizationToken": token("AWS:se:cret"), "expiresAt": END})

    login = ecr.registry_login(session, ADDRESS)

    assert (login.username, login.password.get_secret_value()) == ("AWS", "se:cret")
    assert login.mark == "corral: valid until 2026-11-24T03:30:00Z"
    assert session.region == "eu-west-1"
    assert "se:cret" not in repr(login)


def test_a_role_that_may_not_is_told_which_action_to_allow(session):
    session.stub.add_client_error("get_authorization_token", "AccessDeniedException")

    with pytest.raises(AccessDeniedError, match="AWS refuses ecr:GetAuthorizationToken"):
        ecr.registry_login(session, ADDRESS)


@pytest.mark.parametrize("text", ["AWS", "AWS:", ":x", "no base64 at all"])
def test_a_token_that_makes_no_sense_is_not_quoted(session, text):
    encoded = text if " " in text else token(text)
    answer(session, {"authorizationToken": encoded, "expiresAt": END})

    with pytest.raises(AwsError, match="no user and password for 2109") as caught:
        ecr.registry_login(session, ADDRESS)

    assert encoded not in str(caught.value)


def test_no_token_at_all_is_an_error(session):
    answer(session)

    with pytest.raises(AwsError, match="no log-in for 2109"):
        ecr.registry_login(session, ADDRESS)
