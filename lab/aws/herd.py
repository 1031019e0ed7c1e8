"""Instances by the thousand, that are known to EC2 and never boot."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from moto.core.utils import utcnow

from lab.aws.gaps import shutting_down
from lab.aws.moto_edge import Backends
from lab.aws.seeds import IMAGE_ID
from lab.aws.views import SeededInstance

_AGE = timedelta(days=31)
"""So long ago the instances were launched: before the rows that Rancher has of them."""


def sow_herd(
    backends: Backends, herd: Iterable[SeededInstance], tags: Mapping[str, str]
) -> list[Any]:
    """Make instances of one reservation each, as Auto Scaling does; all launched at once."""
    launched = utcnow() - _AGE

    @cache
    def subnet_of(network: str) -> str:
        return _subnet_id(backends, f"{network}.0.0/16")

    return [
        _sow(backends, one, subnet_of(_network(one.private_ip)), tags, launched) for one in herd
    ]


def own_instances(backends: Backends) -> list[Any]:
    """Return the instances that are no herd's, without going through the herds each time."""
    ec2 = backends.ec2
    # A new reservation comes last, so both tell of any change
    now = len(ec2.reservations), next(reversed(ec2.reservations), None)
    then, own = getattr(ec2, "lab_own", (None, []))
    if now != then:
        own = [each for each in list(ec2.reservations.values()) if not _is_herds(each)]
        ec2.lab_own = now, own
    return [one for each in own for one in each.instances if not hasattr(one, "lab_seeded")]


def _is_herds(reservation: Any) -> bool:  # noqa: ANN401
    return any(hasattr(one, "lab_seeded") for one in reservation.instances)


def _network(private_ip: str) -> str:
    """Return the half of an address that the largest network of AWS leaves to its owner."""
    return ".".join(private_ip.split(".")[:2])


def _subnet_id(backends: Backends, cidr: str) -> str:
    """Return the herd's own subnet of these addresses, made when first asked for."""
    for subnet in backends.ec2.describe_subnets():
        if subnet.cidr_block == cidr:
            return str(subnet.id)
    vpc = backends.ec2.create_vpc(cidr)
    return str(backends.ec2.create_subnet(vpc.id, cidr, availability_zone="us-east-1a").id)


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
