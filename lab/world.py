"""What every part of the lab shares: its clock, its folder, its addresses, its journal and faults.

Who runs where: moto answers AWS calls in threads of its own (werkzeug); everything else (balancer,
Rancher servers, agents, machines, lever) lives on one asyncio loop, `World.loop`.
- `Journal`, `Faults`, `Addresses` and the `Aws` facade may be used from any thread. Nothing of moto
  calls the loop: the facade looks for changes and tells its subscribers on the loop.
- The loop may ask the `Aws` facade directly; what changes something there waits for moto's lock and
  belongs into `asyncio.to_thread`.
"""

import asyncio
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path

from lab.faults import Faults
from lab.github import GitHub
from lab.journal import Journal

_CLAIM_PORT = 16924
"""Nobody listens on it; that it is bound says that a part of loopback belongs to a lab."""


def _may_bind(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


class Addresses:
    """Where on loopback a private address of the lab's VPCs is found.

    Linux owns the whole of 127.0.0.0/8. A lab takes a part of it for each network that it has,
    127.b.0.0/16 for 10.b.0.0/16 unless another lab of this computer was there before, and no other
    lab gets that part: a socket bound in it says so, which the kernel closes with its process.

    Where a system has 127.0.0.1 only (macOS), or somebody listens on a port of all addresses, an
    address and port of the VPC get a port of their own on 127.0.0.1.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, int], tuple[str, int]] = {}
        self._parts: dict[int, int | None] = {}
        self._claims: list[socket.socket] = []

    def of(self, private_ip: str, port: int) -> tuple[str, int]:
        """Return host and port on loopback: always the same ones for the same question."""
        with self._lock:
            place = self._known.get((private_ip, port))
            if place is None:
                place = self._find(private_ip, port)
                self._known[private_ip, port] = place
            return place

    def close(self) -> None:
        """Let other labs have this one's parts of loopback."""
        with self._lock:
            for claim in self._claims:
                claim.close()
            self._claims.clear()
            self._parts.clear()
            self._known.clear()

    def _find(self, private_ip: str, port: int) -> tuple[str, int]:
        _, network, *rest = private_ip.split(".")
        part = self._part_of(int(network))
        if part is not None:
            host = ".".join(("127", str(part), *rest))
            if _may_bind(host, port):
                return host, port
        return "127.0.0.1", free_port()

    def _part_of(self, network: int) -> int | None:
        """Return the second number of a network's addresses on loopback; none if all are taken."""
        if network not in self._parts:
            # 127.0.0.0/16 is everybody's: 127.0.0.1 is in it.
            wanted = ((network + step) % 256 for step in range(256))
            self._parts[network] = next(filter(self._claim, filter(None, wanted)), None)
        return self._parts[network]

    def _claim(self, part: int) -> bool:
        """Take a part of loopback, unless another lab has it or the system has none of it."""
        claim = socket.socket()
        try:
            # No instance has this address: AWS keeps the first ones of every subnet for itself.
            claim.bind((f"127.{part}.0.0", _CLAIM_PORT))
        except OSError:
            claim.close()
            return False
        self._claims.append(claim)
        return True


@dataclass(slots=True)
class World:
    """The lab's one shared context, made at the composition root (`lab/up.py`)."""

    scale: float
    root: Path
    loop: asyncio.AbstractEventLoop
    journal: Journal = field(default_factory=Journal)
    faults: Faults = field(default_factory=Faults)
    addresses: Addresses = field(default_factory=Addresses)
    aws_endpoint: str = ""
    rancher_url: str = ""
    alerts_url: str = ""
    control_url: str = ""
    github_url: str = ""
    github: GitHub = field(init=False)
    """There is one GitHub, as in reality, for every Rancher of the world."""

    def __post_init__(self) -> None:
        """Have the stand-in for GitHub share the journal and the faults."""
        self.github = GitHub(self.journal, self.faults)

    @property
    def authority(self) -> Path:
        """Return the file with the certificate of who signs all others of the lab."""
        return self.root / "names" / "authority.pem"

    @property
    def database_names(self) -> Path:
        """Return the file that says where databases answer: `{name: "host:port"}`."""
        return self.root / "database-names.json"

    def seconds(self, real: float) -> float:
        """Return how long something takes here that takes `real` seconds in reality."""
        return real / self.scale
