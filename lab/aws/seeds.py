"""What the lab's AWS account has before corral comes: a DNS zone and the machine image."""

from datetime import UTC, datetime

from moto.ec2.models.amis import Ami

from lab.aws.moto_edge import Backends

ZONE = "corral.test"
IMAGE_NAME = "corral-node-2026.11.0"
IMAGE_ID = "ami-0c0881a1000000001"


def sow(backends: Backends) -> None:
    """Make the hosted zone and the image."""
    backends.route53.create_hosted_zone(ZONE + ".", private_zone=False)
    backends.ec2.amis[IMAGE_ID] = Ami(
        backends.ec2,
        IMAGE_ID,
        name=IMAGE_NAME,
        description="Debian 12 with Docker and corral's node program",
        virtualization_type="hvm",
        architecture="x86_64",
        hypervisor="xen",
        image_location=f"{backends.ec2.account_id}/{IMAGE_NAME}",
        root_device_type="ebs",
        root_device_name="/dev/xvda",
        creation_date=datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
        tags={"Name": IMAGE_NAME},
    )
