"""Labs that run at once on one computer stay apart: each has addresses of its own."""

import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from subprocess import PIPE, Popen

import pytest

from lab.world import Addresses

NODE = "10.213.16.5"
"""In a network that no lab beside these tests has."""
PORT = 16925
OTHER_LAB = f"""
from lab.world import Addresses
addresses = Addresses()
print(*addresses.of("{NODE}", {PORT}), flush=True)
input()
"""


@contextmanager
def another_lab() -> Iterator[tuple[str, int]]:
    """Run a process that has a lab's addresses, and yield where it has this node's port."""
    command = [sys.executable, "-c", OTHER_LAB]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
        try:
            host, port = process.stdout.readline().split()
            yield host, int(port)
        finally:
            process.kill()


def network_of(place: tuple[str, int]) -> str:
    return place[0].rpartition(".")[0].rpartition(".")[0]


def test_an_address_keeps_its_end_and_the_same_question_its_answer():
    with closing(Addresses()) as addresses:
        host, port = addresses.of(NODE, PORT)

        assert (host.split(".")[0], host.split(".")[2:], port) == ("127", ["16", "5"], PORT)
        assert addresses.of(NODE, PORT) == (host, port)


def test_networks_of_one_lab_stay_apart_and_each_together():
    with closing(Addresses()) as addresses:
        one, same, other = (
            network_of(addresses.of(ip, PORT)) for ip in (NODE, "10.213.32.5", "10.214.16.5")
        )

    assert one == same
    assert one != other


def test_two_labs_of_one_process_have_nothing_in_common():
    with closing(Addresses()) as one, closing(Addresses()) as other:
        assert network_of(one.of(NODE, PORT)) != network_of(other.of(NODE, PORT))


def test_a_lab_of_another_process_keeps_its_part_for_as_long_as_it_lives():
    with another_lab() as theirs:
        part = theirs[0].split(".")[1]
        same = f"10.{part}.16.5"
        with closing(Addresses()) as addresses:
            assert network_of(addresses.of(same, PORT)) != network_of(theirs)

    with closing(Addresses()) as addresses:
        assert network_of(addresses.of(same, PORT)) == network_of(theirs)


def test_a_lab_that_has_ended_leaves_its_part_to_the_next():
    with closing(Addresses()) as addresses:
        before = addresses.of(NODE, PORT)
    part = before[0].split(".")[1]

    with closing(Addresses()) as addresses:
        assert addresses.of(f"10.{part}.16.5", PORT) == before


def test_nobody_is_given_the_part_of_loopback_that_is_everybodys():
    with closing(Addresses()) as addresses:
        assert network_of(addresses.of("10.0.16.5", PORT)) != "127.0"


def test_where_loopback_is_one_address_every_port_has_another_one(monkeypatch: pytest.MonkeyPatch):
    """As on macOS, whose loopback is 127.0.0.1 and nothing else."""
    monkeypatch.setattr(Addresses, "_claim", lambda _addresses, _part: False)
    with closing(Addresses()) as addresses:
        places = {addresses.of(ip, PORT) for ip in (NODE, "10.213.16.6", "10.214.16.5")}

    assert {host for host, _ in places} == {"127.0.0.1"}
    assert len(places) == 3


def test_a_port_that_somebody_has_on_all_addresses_is_given_another_one():
    with socket.socket() as everywhere, closing(Addresses()) as addresses:
        everywhere.bind(("", 0))
        everywhere.listen()
        port = everywhere.getsockname()[1]
        host, given = addresses.of(NODE, port)

    assert host == "127.0.0.1"
    assert given != port
