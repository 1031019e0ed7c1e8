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
from lab.journal import Journal


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

    10.b.c.d is 127.b.c.d: Linux owns the whole of 127.0.0.0/8. Where a system has 127.0.0.1 only
    (macOS), or another lab sits on that address already, an address and port of the VPC get a port
    of their own on 127.0.0.1.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, int], tuple[str, int]] = {}

    def of(self, private_ip: str, port: int) -> tuple[str, int]:
        """Return host and port on loopback: always the same ones for the same question."""
        with self._lock:
            place = self._known.get((private_ip, port))
            if place is None:
                place = self._find(private_ip, port)
                self._known[private_ip, port] = place
            return place

    @staticmethod
    def _find(private_ip: str, port: int) -> tuple[str, int]:
        host = "127." + private_ip.partition(".")[2]
        if _may_bind(host, port):
            return host, port
        return "127.0.0.1", free_port()


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

    def seconds(self, real: float) -> float:
        """Return how long something takes here that takes `real` seconds in reality."""
        return real / self.scale
