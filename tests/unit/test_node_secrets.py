"""Secrets: read through the role, never shown."""

import json

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from botocore.stub import Stubber
from corral_node import secrets
from corral_node.errors import NotYetError
from corral_node.secrets import read_secret


@pytest.fixture
def manager(monkeypatch):
    """Secrets Manager with canned answers, behind boto3's own client."""
    client = boto3.client(
        "secretsmanager",
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    monkeypatch.setattr(boto3.session.Session, "client", lambda *_, **__: client)
    with Stubber(client) as stubber:
        yield stubber


def hold(manager: Stubber, text: str) -> None:
    manager.add_response("get_secret_value", {"SecretString": text}, {"SecretId": "blue/database"})


def test_the_wanted_keys_are_returned_and_no_other(manager):
    hold(manager, json.dumps({"username": "cattle", "password": "s3cret"}))

    assert read_secret("eu-west-1", "blue/database", ("password",)) == {"password": "s3cret"}


@pytest.mark.parametrize(
    ("more", "alerts"),
    [({"alerts": "json://a"}, "json://a"), ({}, ""), ({"alerts": None}, "")],
)
def test_what_may_be_missing_is_empty_then(manager, more, alerts):
    hold(manager, json.dumps({"password": "s3cret", **more}))

    secret = read_secret("eu-west-1", "blue/database", ("password",), ("alerts",))
    assert secret == {"password": "s3cret", "alerts": alerts}


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_a_refusal_is_waited_for(manager, code):
    manager.add_client_error("get_secret_value", code)

    with pytest.raises(NotYetError, match=f"answered {code} for blue/database"):
        read_secret("eu-west-1", "blue/database", ("password",))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("s3cret", "does not hold a JSON object", id="no-json"),
        pytest.param('["s3cret"]', "does not hold a JSON object", id="no-object"),
        pytest.param('{"passwort": "s3cret"}', "lacks password", id="key-missing"),
        pytest.param('{"password": ""}', "lacks password", id="key-empty"),
    ],
)
def test_a_secret_of_another_form_is_told_without_its_text(manager, text, told):
    hold(manager, text)

    with pytest.raises(NotYetError, match=told) as caught:
        read_secret("eu-west-1", "blue/database", ("password",))
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_machine_whose_role_gives_nothing_says_so(monkeypatch):
    def fail(*_: object) -> str:
        raise NoCredentialsError

    monkeypatch.setattr(secrets, "_fetch", fail)

    with pytest.raises(NotYetError, match="role gives no credentials to read blue/database"):
        read_secret("eu-west-1", "blue/database", ("password",))
