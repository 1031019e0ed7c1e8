"""States of stacks, as Terraform leaves them in their bucket."""

import json
from typing import Any

import boto3
import pytest
from aws_lab import KEYS, AwsLab

from corral.clients.aws import read_state, read_states
from corral.errors import PrerequisiteError

ACCOUNT = "123456789012"
BUCKET = "states-of-tests"

# Source: Terraform 1.11, a state as it writes it, shortened.
STATE = {
    "version": 4,
    "terraform_version": "1.11.4",
    "outputs": {"vpc_id": {"value": "vpc-1", "type": "string"}},
    "resources": [
        {
            "mode": "data",
            "type": "aws_ami",
            "name": "machine",
            "instances": [{"attributes": {"id": "ami-1"}}],
        },
        {
            "mode": "managed",
            "type": "aws_vpc",
            "name": "this",
            "instances": [{"attributes": {"id": "vpc-1"}}],
        },
        {
            "mode": "managed",
            "type": "aws_subnet",
            "name": "public",
            "instances": [{"index_key": "us-east-1a", "attributes": {"id": "subnet-1"}}],
        },
    ],
}


@pytest.fixture
def session(aws_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_lab.world.aws_endpoint)
    aws_lab.client("s3").create_bucket(Bucket=BUCKET)
    return boto3.Session(**KEYS)


def put(aws_lab: AwsLab, key: str, body: Any) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    aws_lab.client("s3").put_object(Bucket=BUCKET, Key=key, Body=text.encode())


def test_a_state_is_read_with_what_is_managed_and_with_its_outputs(aws_lab, session):
    put(aws_lab, "lab/vpc.tfstate", STATE)

    state = read_state(session, BUCKET, ACCOUNT, "lab/vpc")

    assert state.attributes == {
        "aws_vpc.this": {"id": "vpc-1"},
        'aws_subnet.public["us-east-1a"]': {"id": "subnet-1"},
    }
    assert state.outputs == {"vpc_id": "vpc-1"}
    assert not state.is_empty


def test_states_are_found_by_cluster_and_locks_are_none(aws_lab, session):
    put(aws_lab, "lab/vpc.tfstate", STATE)
    put(aws_lab, "lab/vpc.tfstate.tflock", {})
    put(aws_lab, "lab/host-pool/web.tfstate", STATE | {"outputs": {}, "resources": []})
    put(aws_lab, "lab2/vpc.tfstate", STATE)

    states = read_states(session, BUCKET, ACCOUNT, "lab")

    assert {name: state.is_empty for name, state in states.items()} == {
        "host-pool/web": True,
        "vpc": False,
    }


def test_what_was_never_applied_is_empty(session):
    assert read_state(session, BUCKET, ACCOUNT, "lab/never").is_empty
    assert read_state(session, "no-such-bucket", ACCOUNT, "lab/vpc").is_empty
    assert read_states(session, "no-such-bucket", ACCOUNT, "lab") == {}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param("<html>", "cannot be read", id="no-json"),
        pytest.param([], "cannot be read", id="no-object"),
        pytest.param({"version": 3}, "format 3", id="another-format"),
    ],
)
def test_what_is_no_state_of_ours_is_said(aws_lab, session, body, said):
    put(aws_lab, "lab/strange.tfstate", body)

    with pytest.raises(PrerequisiteError, match=said):
        read_state(session, BUCKET, ACCOUNT, "lab/strange")
