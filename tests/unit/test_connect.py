"""How a cluster's credentials are found, and what is said if they are not there."""

import pytest
from prefect_aws import AwsCredentials

from corral.cluster import AwsPlace
from corral.errors import CredentialsError, PrerequisiteError, WrongRegionError
from tasks import connect

PLACE = AwsPlace(
    account_id="123456789012",
    region="us-east-1",
    credentials="prod",
    state_bucket="corral-prod-terraform-states",
)


def keep(monkeypatch: pytest.MonkeyPatch, **block: str) -> None:
    """Have Prefect keep a block, whatever its name."""
    monkeypatch.setattr(AwsCredentials, "load", lambda _: AwsCredentials(**block))


def test_a_block_gives_terraform_its_keys(monkeypatch):
    keep(monkeypatch, aws_access_key_id="key", aws_secret_access_key="secret")

    assert connect.terraform_environment(PLACE) == {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }


def test_a_block_that_is_not_there_is_said(monkeypatch):
    def load(name: str) -> AwsCredentials:
        raise ValueError(f"Unable to find block document named {name}")

    monkeypatch.setattr(AwsCredentials, "load", load)

    with pytest.raises(PrerequisiteError, match="no AwsCredentials block prod"):
        connect.aws(PLACE)


def test_a_block_for_another_region_is_refused(monkeypatch):
    keep(monkeypatch, region_name="eu-west-1")

    with pytest.raises(WrongRegionError):
        connect.aws(PLACE)


def test_a_block_with_a_profile_that_is_not_there_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    keep(monkeypatch, profile_name="nobodys")

    with pytest.raises(CredentialsError, match="nobodys"):
        connect.aws(PLACE)
