"""Whether AWS has something whole that an interrupted Terraform had just begun to make."""

from collections.abc import Callable, Mapping

import boto3

from corral.clients.aws.calls import CONFIG, translated
from corral.domain.plans import Change, Wholeness
from corral.errors import AwsError

_WHOLE = {"available", "active", "storage-optimization"}
_BROKEN = {
    "active_impaired",
    "deleted",
    "deleting",
    "failed",
    "incompatible-network",
    "incompatible-parameters",
    "storage-full",
}
_GONE = {"DBInstanceNotFound", "LoadBalancerNotFound", "NatGatewayNotFound"}
"""The errors AWS answers with for what is not there (any more)."""


def wholeness(session: boto3.Session, change: Change) -> Wholeness:
    """Return what AWS says of a resource that was left tainted.

    What AWS makes in one call is whole as soon as it exists, and Terraform's own refresh has just
    seen that it exists; the database, load balancers and NAT gateways take minutes.
    """
    read_state = _SLOW.get(change.type)
    if read_state is None:
        return Wholeness.WHOLE
    try:
        state = read_state(session, change.identity)
    except AwsError as error:
        if error.code in _GONE:
            return Wholeness.BROKEN
        raise
    if state in _WHOLE:
        return Wholeness.WHOLE
    return Wholeness.BROKEN if state in _BROKEN else Wholeness.COMING


def _database_state(session: boto3.Session, identity: Mapping[str, str]) -> str:
    name = identity.get("identifier", identity["id"])
    with translated("rds"):
        answer = session.client("rds", config=CONFIG).describe_db_instances(
            DBInstanceIdentifier=name
        )
    return answer["DBInstances"][0]["DBInstanceStatus"]


def _load_balancer_state(session: boto3.Session, identity: Mapping[str, str]) -> str:
    with translated("elasticloadbalancing"):
        answer = session.client("elbv2", config=CONFIG).describe_load_balancers(
            LoadBalancerArns=[identity.get("arn", identity["id"])]
        )
    return answer["LoadBalancers"][0]["State"]["Code"]


def _nat_gateway_state(session: boto3.Session, identity: Mapping[str, str]) -> str:
    with translated("ec2"):
        answer = session.client("ec2", config=CONFIG).describe_nat_gateways(
            NatGatewayIds=[identity["id"]]
        )
    return answer["NatGateways"][0]["State"]


_SLOW: dict[str, Callable[[boto3.Session, Mapping[str, str]], str]] = {
    "aws_db_instance": _database_state,
    "aws_lb": _load_balancer_state,
    "aws_nat_gateway": _nat_gateway_state,
}
