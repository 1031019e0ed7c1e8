"""What the lab's AWS has about registries of images."""

import json
from datetime import UTC, datetime, timedelta

import boto3
from aws_lab import KEYS

from corral.clients.aws.ecr import registry_login
from corral.domain.set_up.registries import KnownLogin, is_fresh


def client(aws_lab, service):
    return boto3.client(service, endpoint_url=aws_lab.world.aws_endpoint, **KEYS)


def test_a_login_at_ecr_ends_twelve_hours_after_it_was_given(aws_lab):
    [given] = client(aws_lab, "ecr").get_authorization_token()["authorizationData"]

    left = given["expiresAt"] - datetime.now(UTC)
    assert timedelta(hours=11, minutes=59) < left <= timedelta(hours=12)


def test_the_registry_of_the_labs_own_file_has_its_login(aws_lab):
    answer = client(aws_lab, "secretsmanager").get_secret_value(SecretId="lab/registry")

    assert json.loads(answer["SecretString"]).keys() == {"username", "password"}


def test_corral_gets_a_fresh_login_from_the_labs_ecr(aws_lab, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_lab.world.aws_endpoint)
    session = boto3.Session(**KEYS)

    login = registry_login(session, "123456789012.dkr.ecr.us-east-1.amazonaws.com")

    kept = KnownLogin("1c1", "1sp1", login.username, login.mark, "active")
    assert login.username == "AWS"
    assert is_fresh(kept, datetime.now(UTC))
