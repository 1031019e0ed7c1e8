"""EC2's word for what becomes of a machine."""

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from corral_node.errors import NotYetError
from corral_node.instance import read_state


@pytest.fixture
def ec2(monkeypatch):
    """EC2 with canned answers, behind boto3's own client."""
    client = boto3.client(
        "ec2", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    monkeypatch.setattr(boto3.session.Session, "client", lambda *_, **__: client)
    with Stubber(client) as stubber:
        yield stubber


def show(ec2: Stubber, *instances: dict) -> None:
    answer = {"Reservations": [{"Instances": list(instances)}] if instances else []}
    ec2.add_response("describe_instances", answer, {"InstanceIds": ["i-1"]})


def test_the_state_is_told_as_ec2_spells_it(ec2):
    show(ec2, {"InstanceId": "i-1", "State": {"Code": 32, "Name": "shutting-down"}})

    assert read_state("eu-west-1", "i-1") == "shutting-down"


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "RequestLimitExceeded"])
def test_a_refusal_is_waited_for(ec2, code):
    ec2.add_client_error("describe_instances", code)

    with pytest.raises(NotYetError, match=f"EC2 answered {code} for i-1"):
        read_state("eu-west-1", "i-1")


@pytest.mark.parametrize("instances", [(), ({"InstanceId": "i-1"},)], ids=["none", "stateless"])
def test_an_answer_without_the_instance_is_waited_for(ec2, instances):
    show(ec2, *instances)

    with pytest.raises(NotYetError, match="EC2 does not show i-1"):
        read_state("eu-west-1", "i-1")


def test_a_silent_ec2_is_waited_for(ec2, monkeypatch):
    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://ec2")

    monkeypatch.setattr(ec2.client, "describe_instances", fail)

    with pytest.raises(NotYetError, match=r"could not be asked for i-1: EndpointConnectionError"):
        read_state("eu-west-1", "i-1")
