"""Which release of Rancher machines were started with, by what their launch template told them."""

import re
from base64 import b64decode
from collections.abc import Collection
from typing import Final

import boto3

from corral.clients.aws.calls import CONFIG, translated

_RELEASE: Final = re.compile(r"rancher/server:(v\d+(?:\.\d+)+)")


def launched_releases(session: boto3.Session, versions: Collection[str]) -> dict[str, str]:
    """Return the release of Rancher in the user data of launch template versions.

    Args:
        session: Whom to ask.
        versions: As `lt-0123:4`; an empty one is of a machine that came from no launch template.

    Returns:
        The release by version; "" where none is to be found.

    """
    return {version: _release(session, version) for version in set(versions)}


def _release(session: boto3.Session, version: str) -> str:
    template, _, number = version.partition(":")
    if not number:
        return ""
    with translated("ec2"):
        answer = session.client("ec2", config=CONFIG).describe_launch_template_versions(
            LaunchTemplateId=template, Versions=[number]
        )
    found = answer["LaunchTemplateVersions"]
    data = found[0]["LaunchTemplateData"].get("UserData", "") if found else ""
    said = _RELEASE.search(b64decode(data).decode(errors="replace"))
    return said[1] if said else ""
