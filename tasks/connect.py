"""Makes clients out of what a cluster file names; the only place that opens credentials blocks."""

from functools import cache

import boto3
from prefect_aws import AwsCredentials

from corral.clients.aws import check_region, limited, open_session, translated
from corral.cluster import AwsPlace
from corral.errors import PrerequisiteError
from corral.settings import Settings, load_settings


@cache
def settings() -> Settings:
    """Return the settings of this process, read once.

    Raises:
        PrerequisiteError: The environment has settings that corral cannot use.
    """
    return load_settings()


def aws(place: AwsPlace) -> boto3.Session:
    """Return a session in the cluster's region with the cluster's credentials.

    Raises:
        CredentialsError: The credentials are none that AWS's tools can use.
        PrerequisiteError: The cluster's credentials block is not there.
        WrongRegionError: The credentials are meant for another region.

    """
    if place.credentials is None:
        return open_session(place.region)
    block = _block(place.credentials)
    check_region(block.region_name, place.region)
    with translated("sts"):
        session: boto3.Session = block.model_copy(
            update={"region_name": place.region}
        ).get_boto3_session()
    return limited(session)


def terraform_environment(place: AwsPlace) -> dict[str, str]:
    """Return the variables that give Terraform the credentials of the cluster's block, if any."""
    if place.credentials is None:
        return {}
    session = aws(place)
    with translated("sts"):
        credentials = session.get_credentials()
        if credentials is None:
            return {}
        frozen = credentials.get_frozen_credentials()
    found = {
        "AWS_ACCESS_KEY_ID": frozen.access_key,
        "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
        "AWS_SESSION_TOKEN": frozen.token,
    }
    return {name: value for name, value in found.items() if value}


def _block(name: str) -> AwsCredentials:
    try:
        return AwsCredentials.load(name)
    except ValueError as error:
        raise PrerequisiteError(
            f"Prefect has no AwsCredentials block {name} that can be read: make it, or correct"
            " aws.credentials in the cluster file."
        ) from error
