"""Listeners that stand for RDS instances: they greet as MySQL 5.7 does, and have no SQL.

Rancher's stand-in keeps its tables in memory; what a machine can see of its database is that it
answers. Not played: the blocking of a client that leaves too many handshakes unfinished.
"""

import asyncio
import contextlib
import secrets
import struct

from lab.machines.outside import Aws, Place

VERSION = b"5.7.44-log"
PROTOCOL_10 = 10
CAPABILITIES = 0xC1FFF7FF
UTF8_GENERAL_CI = 33
AUTOCOMMIT = 2
PLUGIN = b"mysql_native_password"
ACCESS_DENIED = 1045
PATIENCE_S = 10.0
NOBODY: Place = ("127.0.0.1", 1)
"""A port that no program has: connections are refused, as by a database that is still made."""


def greeting(connection_id: int) -> bytes:
    """Return the first packet a server sends.

    Source: MySQL internals, `Protocol::HandshakeV10`.
    """
    salt = secrets.token_bytes(20).replace(b"\0", b"\1")
    payload = (
        struct.pack("<B", PROTOCOL_10)
        + VERSION
        + b"\0"
        + struct.pack("<I", connection_id)
        + salt[:8]
        + b"\0"
        + struct.pack(
            "<HBHH", CAPABILITIES & 0xFFFF, UTF8_GENERAL_CI, AUTOCOMMIT, CAPABILITIES >> 16
        )
        + struct.pack("<B", len(salt) + 1)
        + bytes(10)
        + salt[8:]
        + b"\0"
        + PLUGIN
        + b"\0"
    )
    return _packet(0, payload)


def _packet(number: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


class Databases:
    """One listener for each RDS instance that somebody asked for."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._servers: dict[str, asyncio.Server] = {}
        self._connections = 0

    async def place_of(self, endpoint: str) -> Place | None:
        """Return where the database of this address listens, or None if there is none."""
        database = self._aws.database_by_endpoint(endpoint)
        if database is None:
            return None
        if database.status != "available":
            return NOBODY
        if endpoint not in self._servers:
            self._servers[endpoint] = await self._listen(endpoint)
        host, port = self._servers[endpoint].sockets[0].getsockname()
        return host, port

    async def close(self) -> None:
        """Stop listening."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    async def _listen(self, endpoint: str) -> asyncio.Server:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                if self._is_available(endpoint):
                    await self._greet(reader, writer)
            writer.close()

        return await asyncio.start_server(greet, "127.0.0.1", 0)

    def _is_available(self, endpoint: str) -> bool:
        database = self._aws.database_by_endpoint(endpoint)
        return database is not None and database.status == "available"

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        writer.write(greeting(self._connections))
        await writer.drain()
        async with asyncio.timeout(PATIENCE_S):
            header = await reader.readexactly(4)
            await reader.readexactly(int.from_bytes(header[:3], "little"))
        refusal = b"#28000The lab's database has no accounts"
        writer.write(_packet(header[3] + 1, struct.pack("<BH", 0xFF, ACCESS_DENIED) + refusal))
        await writer.drain()
