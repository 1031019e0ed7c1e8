"""What the containers of an agent know of their machine: identity, disk, network."""

import base64
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from socket import AF_INET, AddressFamily
from typing import Final, Protocol

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

STATE: Final = Path("var/lib/rancher/state")
CONNECT_TIMEOUT_S: Final = 5.0

Locate = Callable[[str, int], Awaitable[tuple[str, int] | None]]
"""Finds where on loopback a name's port is; None: there is no such name."""


class MachineFacts(Protocol):
    """One machine."""

    @property
    def instance_id(self) -> str:
        """EC2's name for it."""

    @property
    def private_ip(self) -> str:
        """Its address in the VPC."""

    @property
    def hostname(self) -> str:
        """What `hostname -f` says."""

    @property
    def root(self) -> Path:
        """Its disk: what is on it outlives the containers."""


def remembered(machine: MachineFacts, name: str, make: Callable[[], str]) -> str:
    """Return what a machine's disk remembers, and make it remember if it does not.

    rancher: agent/run.sh (/var/lib/rancher/state)
    """
    path = machine.root / STATE / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(), encoding="utf-8")
    return path.read_text(encoding="utf-8")


class _Resolver(AbstractResolver):
    """Asks the lab's resolver, which knows ports as well."""

    def __init__(self, locate: Locate) -> None:
        self._locate = locate

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AF_INET
    ) -> list[ResolveResult]:
        place = await self._locate(host, port)
        if place is None:
            raise OSError(None, f"no such name: {host}")
        return [
            ResolveResult(
                hostname=host, host=place[0], port=place[1], family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


def basic_auth(user: str, password: str) -> dict[str, str]:
    """Return the header that names a caller and proves it."""
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


@dataclass(frozen=True, slots=True)
class Network:
    """The way from a machine to the server: its resolver, and whom it trusts."""

    locate: Locate
    authority: Path | None = None
    """Certificate of who signs for the names of the lab."""

    def session(self) -> aiohttp.ClientSession:
        """Return a session of HTTP from this machine."""
        trust = ssl.create_default_context(cafile=self.authority) if self.authority else True
        connector = aiohttp.TCPConnector(
            resolver=_Resolver(self.locate), ssl=trust, use_dns_cache=False
        )
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S)
        return aiohttp.ClientSession(connector=connector, timeout=timeout)
