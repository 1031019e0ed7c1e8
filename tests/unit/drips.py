"""Somebody who answers a byte at a time, so that no time-out between two bytes ends it."""

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

PAUSE_S = 0.05


class Drips:
    """A server whose answers begin at once and then come in drops."""

    def __init__(self, head: bytes, most: int = 10_000) -> None:
        """Begin with this head; after so many drops the connection is closed."""
        self._head = head
        self._most = most
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.asked = 0
        self._ended = 0

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def wait_for_ends(self, number: int) -> None:
        """Return when so many answers have ended."""
        until = time.monotonic() + 10
        while self._ended < number:
            assert time.monotonic() < until
            time.sleep(PAUSE_S)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.asked += 1
                threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(1 << 16)
            connection.sendall(self._head)
            for _ in range(self._most):
                if self._over.wait(PAUSE_S):
                    break
                connection.sendall(b" ")
        self._ended += 1
