"""Who this machine is, asked of the instance metadata service, version 2 only."""

import os
from dataclasses import dataclass
from typing import Any

import requests

from corral_node.errors import NotYetError

ENDPOINT_VARIABLE = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
DEFAULT_ENDPOINT = "http://169.254.169.254"
TOKEN_TTL_S = 300
TIMEOUT_S = (2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Identity:
    """The facts of this machine that nobody can tell it wrongly."""

    instance_id: str
    account_id: str
    region: str
    private_ip: str

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels by which a host in Rancher is found in EC2 again."""
        return {
            "aws.instance_id": self.instance_id,
            "aws.account_id": self.account_id,
            "aws.region": self.region,
        }


def endpoint() -> str:
    """Return where the metadata service listens."""
    return (os.environ.get(ENDPOINT_VARIABLE) or DEFAULT_ENDPOINT).rstrip("/")


def _fetch_document(session: requests.Session) -> Any:  # noqa: ANN401 - whatever JSON it holds
    """Return the instance identity document.

    Source: EC2 user guide, "Instance identity documents" and "Use IMDSv2".
    """
    answer = session.put(
        f"{endpoint()}/latest/api/token",
        headers={"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_TTL_S)},
        timeout=TIMEOUT_S,
    )
    answer.raise_for_status()
    document = session.get(
        f"{endpoint()}/latest/dynamic/instance-identity/document",
        headers={"X-aws-ec2-metadata-token": answer.text},
        timeout=TIMEOUT_S,
    )
    document.raise_for_status()
    return document.json()


def read_identity() -> Identity:
    """Return who this machine is.

    Raises:
        NotYetError: The service did not answer, or not with what it should.
    """
    with requests.Session() as session:
        session.trust_env = False  # a proxy for the outside has no business with link-local
        try:
            document = _fetch_document(session)
        except (requests.RequestException, ValueError) as error:
            raise NotYetError(f"instance metadata at {endpoint()} gave {_cause(error)}") from error
    try:
        return Identity(
            instance_id=document["instanceId"],
            account_id=document["accountId"],
            region=document["region"],
            private_ip=document["privateIp"],
        )
    except (KeyError, TypeError) as error:
        raise NotYetError(f"the instance identity document lacks {error}") from error


def _cause(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"status {response.status_code}"
    return type(error).__name__
