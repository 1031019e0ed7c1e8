"""Asks a MySQL server whether it is there, by the greeting it sends to whoever connects.

No login: the greeting tells enough. Looks are rare, since MySQL counts each connection that ends
within the handshake and blocks a machine that has made `max_connect_errors` (100) of them.
"""

import socket

from corral_node.errors import NodeError, NotYetError

INTERVAL_S = 10.0
TIMEOUT_S = 10.0
HEADER_BYTES = 4
PROTOCOL_10 = 0x0A
ERROR_PACKET = 0xFF
SUPPORTED = ("5.5.", "5.6.", "5.7.")
"""What Rancher 1.6 runs on. Source: Rancher 1.6 documentation, installing the server."""


def read_version(host: str, port: int) -> str:
    """Return the version the database announces.

    Raises:
        NotYetError: Nobody answers there, or nobody that is ready.
        NodeError: It is a database that Rancher 1.6 cannot use.
    """
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT_S) as connection:
            payload = _read_packet(connection)
    except OSError as error:
        raise NotYetError(f"no connection to {host}:{port} ({error})") from error
    version = read_greeting(payload)
    if not version.startswith(SUPPORTED):
        raise NodeError(
            f"{host}:{port} is MySQL {version}, but Rancher 1.6 runs on 5.5, 5.6 and 5.7 only. "
            "Choose another engine version in the cluster file"
        )
    return version


def _read_packet(connection: socket.socket) -> bytes:
    header = _read_exactly(connection, HEADER_BYTES)
    return _read_exactly(connection, int.from_bytes(header[:3], "little"))


def _read_exactly(connection: socket.socket, count: int) -> bytes:
    read = b""
    while len(read) < count:
        part = connection.recv(count - len(read))
        if not part:
            raise NotYetError("the connection ended before the server's greeting")
        read += part
    return read


def read_greeting(payload: bytes) -> str:
    """Return the server version in a handshake packet.

    Raises:
        NotYetError: It is an error packet (too many connections, host blocked), or no greeting.

    Source: MySQL internals, `Protocol::HandshakeV10` and `Protocol::ERR_Packet`.
    """
    if payload[:1] == bytes([ERROR_PACKET]):
        number = int.from_bytes(payload[1:3], "little")
        raise NotYetError(f"the server refuses with error {number}: {_text(payload[3:])}")
    if payload[:1] != bytes([PROTOCOL_10]):
        raise NotYetError("what answers there does not greet as MySQL does")
    return _text(payload[1:].partition(b"\0")[0])


def _text(raw: bytes) -> str:
    return raw[:200].decode("utf-8", errors="replace")
