"""Instances by the hundred, that are known to EC2 and never boot."""

from collections.abc import Mapping
from typing import Any

from lab.aws.moto_edge import Backends
from lab.aws.seeds import IMAGE_ID

_CIDR = "10.200.0.0/16"


def _subnet(backends: Backends) -> Any:  # noqa: ANN401
    """Return the herd's own subnet, made when first asked for."""
    for subnet in backends.ec2.describe_subnets():
        if subnet.cidr_block == _CIDR:
            return subnet
    vpc = backends.ec2.create_vpc(_CIDR)
    return backends.ec2.create_subnet(vpc.id, _CIDR, availability_zone="us-east-1a")


def sow_herd(
    backends: Backends, running: int, terminated: int, tags: Mapping[str, str]
) -> list[Any]:
    """Make instances of one reservation each, as Auto Scaling does; the terminated ones last."""
    subnet = _subnet(backends)
    herd = []
    for _ in range(running + terminated):
        reservation = backends.ec2.run_instances(
            IMAGE_ID,
            1,
            None,
            [],
            instance_type="m5.large",
            is_instance_type_default=False,
            tags={"instance": dict(tags)},
            subnet_id=subnet.id,
        )
        reservation.instances[0].lab_seeded = True
        herd.append(reservation.instances[0])
    for instance in herd[running:]:
        instance.terminate()
    return herd
