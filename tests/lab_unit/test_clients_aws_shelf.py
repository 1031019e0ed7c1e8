"""What lies beside the states: read, written, and removed only as long as it is the same."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from corral.clients.aws import StateShelf

ACCOUNT = "123456789012"


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[StateShelf]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        session = boto3.Session("lab", "lab", region_name="us-east-1")
        session.client("s3").create_bucket(Bucket="states")
        session.client("s3").put_bucket_versioning(
            Bucket="states", VersioningConfiguration={"Status": "Enabled"}
        )
        yield StateShelf(session, "states", ACCOUNT)


def test_what_was_written_is_read_and_removed(shelf):
    assert shelf.read("lab/vpc.tfstate.tflock") is None

    shelf.write("lab/vpc.tfstate.tflock", "mine")
    text, tag = shelf.read("lab/vpc.tfstate.tflock")
    shelf.remove("lab/vpc.tfstate.tflock", tag)

    assert text == "mine"
    assert shelf.read("lab/vpc.tfstate.tflock") is None


def test_what_somebody_wrote_meanwhile_stays(shelf):
    shelf.write("lab/vpc.tfstate.tflock", "of a dead run")
    _, tag = shelf.read("lab/vpc.tfstate.tflock")
    shelf.write("lab/vpc.tfstate.tflock", "of somebody who lives")

    shelf.remove("lab/vpc.tfstate.tflock", tag)

    assert shelf.read("lab/vpc.tfstate.tflock")[0] == "of somebody who lives"


def test_what_is_gone_already_is_no_fault(shelf):
    shelf.write("key", "text")
    _, tag = shelf.read("key")
    shelf.remove("key", tag)

    shelf.remove("key", tag)
