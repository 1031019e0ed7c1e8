"""Who is asking, and where: the guards that come before everything else."""

from collections.abc import Collection
from dataclasses import dataclass

import boto3

from corral.clients.aws.calls import CONFIG, translated
from corral.errors import PrerequisiteError, WrongAccountError


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose credentials these are."""

    account_id: str
    arn: str


def identity(session: boto3.Session) -> Identity:
    """Return who AWS takes us for."""
    with translated("sts"):
        answer = session.client("sts", config=CONFIG).get_caller_identity()
    return Identity(answer["Account"], answer["Arn"])


def check_account(session: boto3.Session, expected: str) -> Identity:
    """Return who we are, if that is the right account.

    Raises:
        WrongAccountError: The credentials belong to another account.

    """
    found = identity(session)
    if found.account_id != expected:
        raise WrongAccountError(expected, found.account_id)
    return found


def check_zones(session: boto3.Session, zones: Collection[str]) -> None:
    """See to it that the session's region has these zones and that they are open to us.

    Raises:
        PrerequisiteError: Some are missing; names those that are there.

    """
    with translated("ec2"):
        answer = session.client("ec2", config=CONFIG).describe_availability_zones()
    present = sorted(
        zone["ZoneName"] for zone in answer["AvailabilityZones"] if zone["State"] == "available"
    )
    if missing := [zone for zone in zones if zone not in present]:
        raise PrerequisiteError(
            f"Region {session.region_name} has no zone {', '.join(missing)};"
            f" it has {', '.join(present)}."
        )
