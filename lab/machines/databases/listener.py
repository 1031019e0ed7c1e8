"""The port of one RDS instance: listens as long as the instance is there."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Final

from mysql_mimic.control import LocalControl
from mysql_mimic.errors import MysqlError
from mysql_mimic.stream import ConnectionClosed, MysqlStream

from lab.aws.views import DatabaseView
from lab.machines.databases.login import Door
from lab.machines.databases.session import SqlSession
from lab.machines.databases.tables import Tables
from lab.machines.outside import Place
from lab.rancher import RancherCluster

TLS_REQUEST_BYTES = 36
"""The packet by which a client asks for TLS. What follows it is TLS's own: bytes of it that were
read together with the request would be lost.

Source: MySQL internals, `Protocol::SSLRequest`.
"""

NEWEST: Final = {"5.5": "5.5.62", "5.6": "5.6.51", "5.7": "5.7.44"}
"""Source: MySQL release notes, the last of each series."""


class Listener:
    """Speaks MySQL's protocol for an instance.

    Args:
        look: reads the instance from RDS.
        data: what is in it; none before a server has come.
        context: the instance's certificate.

    """

    def __init__(
        self,
        look: Callable[[], DatabaseView],
        data: Callable[[], RancherCluster | None],
        context: ssl.SSLContext,
    ) -> None:
        self._look = look
        self._data = data
        self._context = context
        self._control = LocalControl()
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.place: Place = self._socket.getsockname()

    async def listen(self) -> None:
        """Begin to answer those who come to the place."""
        self._server = await asyncio.start_server(self._serve, sock=self._socket)

    def close(self) -> None:
        """Stop listening, and hang up on everybody."""
        if self._server is not None:
            self._server.close()
        self._socket.close()
        self.hang_up()

    def hang_up(self) -> None:
        """End all connections, as a database that stops does."""
        for writer in list(self._open):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        writer.transport.max_size = TLS_REQUEST_BYTES  # type: ignore[attr-defined]  # of asyncio's
        try:
            if self._look().answers:
                await self._talk(MysqlStream(reader, writer))
        finally:
            self._open.discard(writer)
            writer.close()

    async def _talk(self, stream: MysqlStream) -> None:
        database = self._look()
        version = f"{_release(database.engine_version)}-log"
        session = SqlSession(database.database_name, version, lambda: Tables(self._data()))
        door = Door(self._look, session, stream, self._control, self._context)
        door.connection_id = await self._control.add(door)
        try:
            # A client that leaves in the middle is nobody's fault; one that is refused was told.
            with contextlib.suppress(
                OSError,
                EOFError,
                MysqlError,
                ConnectionClosed,
                struct.error,
                asyncio.CancelledError,
            ):
                await door.start()
        finally:
            await self._control.remove(door.connection_id)


def _release(version: str) -> str:
    """Return what runs where somebody asked for no more than `5.7`: the newest release of it."""
    return NEWEST.get(version, version)
