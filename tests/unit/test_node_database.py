"""The database's greeting: what counts as an answer."""

import socket
import threading

import pytest
from corral_node.database import read_greeting, read_version
from corral_node.errors import NodeError, NotYetError

GREETING = b"\x0a5.7.44-log\x00" + bytes(40)


@pytest.fixture
def database():
    """Return a function that has one connection answered with some bytes, and gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def answer_with(sent: bytes) -> int:
        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(sent)

        threads.append(threading.Thread(target=answer))
        threads[-1].start()
        return listener.getsockname()[1]

    yield answer_with
    for thread in threads:
        thread.join(timeout=5)
    listener.close()


def packet(payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + b"\0" + payload


def test_the_version_in_the_greeting_is_returned(database):
    assert read_version("127.0.0.1", database(packet(GREETING))) == "5.7.44-log"


def test_a_version_that_rancher_cannot_use_is_refused_for_good(database):
    port = database(packet(GREETING.replace(b"5.7.44-log", b"8.0.35")))

    with pytest.raises(NodeError, match=r"is MySQL 8\.0\.35") as caught:
        read_version("127.0.0.1", port)
    assert not isinstance(caught.value, NotYetError)


def test_a_closed_port_is_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(NotYetError, match="no connection to"):
        read_version("127.0.0.1", port)


def test_a_connection_that_ends_in_the_greeting_is_waited_for(database):
    with pytest.raises(NotYetError, match="ended before"):
        read_version("127.0.0.1", database(packet(GREETING)[:9]))


def test_a_server_that_refuses_is_waited_for_in_its_own_words():
    with pytest.raises(NotYetError, match="error 1040: Too many connections"):
        read_greeting(b"\xff\x10\x04Too many connections")


def test_something_else_on_the_port_is_waited_for():
    with pytest.raises(NotYetError, match="does not greet as MySQL"):
        read_greeting(b"HTTP/1.1 400 Bad Request")
