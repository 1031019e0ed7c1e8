"""The VPC's resolver: where on loopback a name's port is, for machines, agents and servers."""

import asyncio
import contextlib
import ipaddress
import re
from pathlib import Path

from lab.machines.databases import Databases
from lab.machines.outside import Aws, Balancers, Place
from lab.machines.tls import Authority, Terminator
from lab.world import World

HTTPS = 443
PRIVATE_NAME = re.compile(r"ip-(\d+)-(\d+)-(\d+)-(\d+)\.\S+")


class Names:
    """Answers for private addresses, instances' names, and what hosted zones point at."""

    def __init__(self, world: World, aws: Aws, balancers: Balancers, folder: Path) -> None:
        self._world = world
        self._aws = aws
        self._balancers = balancers
        self.authority = Authority(folder)
        self.databases = Databases(world, aws, self.authority)
        self._terminators: dict[str, tuple[Terminator, Place]] = {}
        self._server: asyncio.Server | None = None

    async def listen(self) -> str:
        """Begin to answer machines' processes and return the resolver's address."""
        self.databases.start()
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    async def close(self) -> None:
        """Stop answering, and all that listens under a name."""
        if self._server is not None:
            self._server.close()
        for terminator, _ in self._terminators.values():
            terminator.close()
        await self.databases.stop()

    async def locate(self, host: str, port: int) -> Place | None:
        """Return where a host's port is on loopback, or None if no such name exists."""
        address = _address_in(host)
        if address is not None:
            return self._place_of_address(address, port)
        if host == "localhost":
            return "127.0.0.1", port
        target = self._aws.resolve(host) or host
        database = await self.databases.place_of(target)
        return database or await self._place_of_balancer(host, target, port)

    def _place_of_address(self, address: str, port: int) -> Place:
        is_private = ipaddress.ip_address(address) in ipaddress.ip_network("10.0.0.0/8")
        return self._world.addresses.of(address, port) if is_private else (address, port)

    async def _place_of_balancer(self, host: str, target: str, port: int) -> Place | None:
        behind = self._balancers.place_of(target, port)
        if behind is None or port != HTTPS:
            return behind
        known = self._terminators.get(host)
        if known is None:
            terminator = Terminator(behind)
            known = terminator, await terminator.listen(self.authority.context_for(host))
            self._terminators[host] = known
        terminator, place = known
        terminator.behind = behind
        return place

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError):
            host, port = (await reader.readline()).decode().split()
            place = await self.locate(host, int(port))
            writer.write(f"{place[0]} {place[1]}\n".encode() if place else b"-\n")
            await writer.drain()
        writer.close()


def _address_in(host: str) -> str | None:
    """Return the address a host is or, as instances' private names do, spells."""
    spelled = PRIVATE_NAME.fullmatch(host)
    text = ".".join(spelled.groups()) if spelled else host
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        return None
