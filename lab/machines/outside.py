"""What machines need of the rest of the lab; `lab.aws`, the balancer and `lab.rancher` offer it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab.aws.views import DatabaseView, InstanceView, SnapshotView
from lab.machines.docker.daemon import Daemon
from lab.machines.docker.workload import Start
from lab.machines.image import Image

Place = tuple[str, int]
"""Host and port on loopback."""


class Aws(Protocol):
    """Reads AWS as the machines' surroundings do."""

    def instance(self, instance_id: str) -> InstanceView | None:
        """Return one instance, or None if EC2 does not know it."""
        ...

    def subscribe(self, on_change: Callable[[str, str | None, str], None]) -> object:
        """Have changes of an instance's state told: id, old state, new state."""
        ...

    def set_power(self, instance_id: str, *, on: bool) -> None:
        """Take note of whether an instance's machine has power."""
        ...

    def resolve(self, name: str) -> str | None:
        """Follow a name of a hosted zone to the RDS endpoint or load balancer it stands for."""
        ...

    def names_of(self, address: str) -> list[str]:
        """Return the names of hosted zones that lead to an address."""
        ...

    def databases(self) -> list[DatabaseView]:
        """Return every RDS instance."""
        ...

    def snapshots(self) -> list[SnapshotView]:
        """Return every snapshot of RDS instances."""
        ...

    def database_by_endpoint(self, host: str) -> DatabaseView | None:
        """Return the database that has this address."""
        ...


class Balancers(Protocol):
    """Where load balancers listen."""

    def place_of(self, dns_name: str, port: int) -> Place | None:
        """Return where a listener's port of a load balancer is, without its TLS."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a machine starts from and finds around itself: image, account, resolver, trust."""

    image: Image
    account_id: str
    resolver: str
    authority: Path


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What a container can know of the machine it is on."""

    instance_id: str
    private_ip: str
    hostname: str
    root: Path


ImagesFor = Callable[[MachineFacts, Daemon], Mapping[str, Start]]
"""Makes what each repository's images do on one machine."""
