"""A further version of a launch template can be launched as its first one can.

moto: leaves the user data of every version but the first as it came, and refuses it at a launch.
AWS: versions differ in nothing but what they say.
Why it matters: a group whose template has changed would never start a machine again.

Source: EC2 API reference, CreateLaunchTemplateVersion.
"""

from typing import Any

from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.utils import parse_user_data

from lab.aws.moto_edge import patch

_KEY = "UserData"


def close() -> None:
    """Read the user data of each version as moto does with the first."""

    def create(
        self: LaunchTemplate, data: dict[str, Any], description: str
    ) -> LaunchTemplateVersion:
        if isinstance(data.get(_KEY), str):
            data[_KEY] = parse_user_data(data[_KEY])
        version: LaunchTemplateVersion = original(self, data, description)
        return version

    original = patch(LaunchTemplate, "create_version", create)
