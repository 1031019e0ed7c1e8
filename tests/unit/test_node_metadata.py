"""The machine's identity: version 2 of the metadata service, and nothing else."""

import pytest
import requests
import responses
from corral_node.errors import NotYetError
from corral_node.metadata import Identity, read_identity

BASE = "http://169.254.169.254/latest"
DOCUMENT = {
    "instanceId": "i-1",
    "accountId": "123456789012",
    "region": "eu-west-1",
    "privateIp": "10.0.0.7",
}


@pytest.fixture
def service(monkeypatch):
    monkeypatch.delenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", raising=False)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as service:
        service.put(
            f"{BASE}/api/token",
            body="token",
            match=[
                responses.matchers.header_matcher({"X-aws-ec2-metadata-token-ttl-seconds": "300"})
            ],
        )
        yield service


def test_the_identity_is_read_with_a_token(service):
    service.get(
        f"{BASE}/dynamic/instance-identity/document",
        json=DOCUMENT,
        match=[responses.matchers.header_matcher({"X-aws-ec2-metadata-token": "token"})],
    )

    identity = read_identity()

    assert identity == Identity("i-1", "123456789012", "eu-west-1", "10.0.0.7")
    assert identity.labels == {
        "aws.instance_id": "i-1",
        "aws.account_id": "123456789012",
        "aws.region": "eu-west-1",
    }


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param({"status": 401}, "gave status 401", id="refused"),
        pytest.param({"body": requests.ConnectionError("no")}, "gave ConnectionError", id="silent"),
        pytest.param({"json": {"instanceId": "i-1"}}, "lacks 'accountId'", id="incomplete"),
        pytest.param({"body": "<html>"}, "gave JSONDecodeError", id="no-json"),
    ],
)
def test_anything_else_is_waited_for(service, answer, told):
    service.get(f"{BASE}/dynamic/instance-identity/document", **answer)

    with pytest.raises(NotYetError, match=told):
        read_identity()
