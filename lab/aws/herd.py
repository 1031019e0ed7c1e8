"""Instances by the thousand, that are known to EC2 and never boot."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow

from lab.aws.gaps import shutting_down
from lab.aws.moto_edge import Backends
from lab.aws.seeds import IMAGE_ID
from lab.aws.views import SeededInstance

_CIDR = "10.200.0.0/16"


def _subnet_id(backends: Backends) -> str:
    """Return the herd's own subnet, made when first asked for."""
    for subnet in backends.ec2.describe_subnets():
        if subnet.cidr_block == _CIDR:
            return str(subnet.id)
    vpc = backends.ec2.create_vpc(_CIDR)
    return str(backends.ec2.create_subnet(vpc.id, _CIDR, availability_zone="us-east-1a").id)


def sow_herd(
    backends: Backends, herd: Iterable[SeededInstance], tags: Mapping[str, str]
) -> list[Any]:
    """Make instances of one reservation each, as Auto Scaling does; all launched at once."""
    subnet_id = _subnet_id(backends)
    launched = utcnow()
    return [_sow(backends, one, subnet_id, tags, launched) for one in herd]


def _sow(
    backends: Backends,
    seed: SeededInstance,
    subnet_id: str,
    tags: Mapping[str, str],
    launched: datetime,
) -> Any:  # noqa: ANN401
    reservation = backends.ec2.run_instances(
        IMAGE_ID,
        1,
        None,
        [],
        instance_type="m5.large",
        # Not looked up among all types of the region, as a type that somebody names would be
        is_instance_type_default=True,
        subnet_id=subnet_id,
        block_device_mappings=[],
    )
    instance = reservation.instances[0]
    instance.lab_seeded = True
    instance.id = seed.id
    instance.launch_time = launched
    _place(instance.nics[0], seed.private_ip, launched)
    instance.add_tags(dict(tags))
    if not seed.alive:
        shutting_down.end(instance)
    return instance


def _place(interface: Any, private_ip: str, attached: datetime) -> None:  # noqa: ANN401
    interface.private_ip_address = private_ip
    interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": private_ip}]
    interface.attach_time = attached
