"""The resolver, and what listens behind the names it knows."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from machines_surroundings import DATABASE, RANCHER, FakeAws, FakeBalancers, make_world

from lab.machines.names import Names
from lab.world import World


@dataclass
class Network:
    world: World
    aws: FakeAws
    balancers: FakeBalancers
    names: Names
    resolver: tuple[str, int]

    async def ask(self, question: str) -> str:
        reader, writer = await asyncio.open_connection(*self.resolver)
        writer.write(f"{question}\n".encode())
        answer = (await reader.read()).decode().strip()
        writer.close()
        return answer


@contextlib.asynccontextmanager
async def a_network(root: Path) -> AsyncIterator[Network]:
    world, aws, balancers = make_world(root), FakeAws(), FakeBalancers()
    names = Names(world, aws, balancers, root / "tls")
    host, _, port = (await names.listen()).partition(":")
    try:
        yield Network(world, aws, balancers, names, (host, int(port)))
    finally:
        await names.close()
        world.addresses.close()


def on_a_network(root: Path, scenario) -> None:
    async def run() -> None:
        async with a_network(root) as network:
            await scenario(network)

    asyncio.run(run())


def test_private_addresses_and_names_of_instances_are_on_loopback(tmp_path):
    async def scenario(network: Network) -> None:
        place = network.world.addresses.of("10.42.16.5", 8080)

        assert await network.names.locate("10.42.16.5", 8080) == place
        assert await network.names.locate("ip-10-42-16-5.ec2.internal", 8080) == place
        assert await network.ask("10.42.16.5 8080") == f"{place[0]} {place[1]}"

    on_a_network(tmp_path, scenario)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_loopback_stays_what_it_is(tmp_path, host):
    async def scenario(network: Network) -> None:
        assert await network.names.locate(host, 4566) == ("127.0.0.1", 4566)

    on_a_network(tmp_path, scenario)


def test_an_unknown_name_is_none(tmp_path):
    async def scenario(network: Network) -> None:
        assert await network.names.locate("example.org", 443) is None
        assert await network.ask("example.org 443") == "-"
        assert await network.ask("nonsense") == ""

    on_a_network(tmp_path, scenario)


def test_an_available_database_greets_as_mysql_5_7(tmp_path):
    async def scenario(network: Network) -> None:
        place = await network.names.locate(DATABASE, 3306)
        reader, writer = await asyncio.open_connection(*place)
        header = await reader.readexactly(4)
        greeting = await reader.readexactly(int.from_bytes(header[:3], "little"))
        assert greeting.startswith(b"\x0a5.7.44-log\x00")
        writer.close()

    on_a_network(tmp_path, scenario)


def test_a_database_that_is_still_made_refuses_connections(tmp_path):
    async def scenario(network: Network) -> None:
        network.aws.database_status = "creating"
        place = await network.names.locate(DATABASE, 3306)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*place)

    on_a_network(tmp_path, scenario)


def test_a_database_that_stops_answers_no_more(tmp_path):
    async def scenario(network: Network) -> None:
        place = await network.names.locate(DATABASE, 3306)
        network.aws.database_status = "stopped"
        reader, writer = await asyncio.open_connection(*place)
        assert await reader.read() == b""
        writer.close()

    on_a_network(tmp_path, scenario)


def test_https_to_a_load_balancers_name_is_tls_with_a_certificate_of_that_name(tmp_path):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"behind: " + await reader.readline())
        writer.close()

    async def scenario(network: Network) -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        network.balancers.place = server.sockets[0].getsockname()
        place = await network.names.locate(RANCHER, 443)
        trust = ssl.create_default_context(cafile=network.names.authority.certificate_path)
        reader, writer = await asyncio.open_connection(*place, ssl=trust, server_hostname=RANCHER)
        writer.write(b"hello\n")
        assert await reader.read() == b"behind: hello\n"
        writer.close()
        assert await network.names.locate(RANCHER, 443) == place
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection(*place, ssl=trust, server_hostname="example.org")
        server.close()

    on_a_network(tmp_path, scenario)


def test_a_load_balancer_without_the_listener_is_not_found(tmp_path):
    async def scenario(network: Network) -> None:
        assert await network.names.locate(RANCHER, 443) is None
        assert await network.names.locate(RANCHER, 80) is None

    on_a_network(tmp_path, scenario)
