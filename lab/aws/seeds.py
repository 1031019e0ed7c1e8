"""What the lab's AWS has before corral comes: a DNS zone, images of machines, secrets."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.ec2.models.amis import Ami

from lab.aws.moto_edge import Backends

ZONE = "corral.test"
IMAGE_NAME = "corral-node-2026.11.0"
IMAGE_ID = "ami-0c0881a1000000001"
DEBIAN = "136693071363"
"""Debian's own account. Source: wiki.debian.org, Cloud/AmazonEC2Image."""
DEBIAN_NAME = "debian-12-amd64-20261019-2271"
DEBIAN_ID = "ami-0deb1a12000000001"
SECRETS = {
    "lab/registry": {"username": "robot", "password": "what-the-robot-pulls-with"},
    "lab/ecr": {
        "aws_access_key_id": "AKIALABREFRESHESECR0",
        "aws_secret_access_key": "what-the-refresher-asks-with",
    },
}
"""Those that lab.yaml names: an operator made them, since corral makes no log-ins of others."""


def sow(backends: Backends) -> None:
    """Make the hosted zone, the images, and the log-ins to registries."""
    backends.route53.create_hosted_zone(ZONE + ".", private_zone=False)
    ec2 = backends.ec2
    own, baked = ec2.account_id, datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    ec2.amis[IMAGE_ID] = _image(ec2, IMAGE_ID, IMAGE_NAME, own, baked, {"Name": IMAGE_NAME})
    released = datetime(2026, 10, 19, 20, 0, tzinfo=UTC)
    ec2.amis[DEBIAN_ID] = _image(ec2, DEBIAN_ID, DEBIAN_NAME, DEBIAN, released, {})
    for name, value in SECRETS.items():
        _keep(backends.secretsmanager, name, value)


def _keep(vault: Any, name: str, value: Mapping[str, str]) -> None:  # noqa: ANN401 - moto's
    vault.create_secret(
        name,
        secret_string=json.dumps(value),
        **dict.fromkeys(("secret_binary", "description", "kms_key_id", "client_request_token")),
        tags=[],
        replica_regions=[],
        force_overwrite=False,
    )


def _image(
    ec2: Any,  # noqa: ANN401 - moto's
    image_id: str,
    name: str,
    owner: str,
    created: datetime,
    tags: dict[str, str],
) -> Ami:
    return Ami(
        ec2,
        image_id,
        name=name,
        description="Debian 12",
        owner_id=owner,
        public=owner != ec2.account_id,
        virtualization_type="hvm",
        architecture="x86_64",
        hypervisor="xen",
        image_location=f"{owner}/{name}",
        root_device_type="ebs",
        root_device_name="/dev/xvda",
        creation_date=created,
        tags=tags,
    )
