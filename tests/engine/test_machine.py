"""Proof that a process is gone: with real processes, and with what another machine would say."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from corral.clients.machine import Whereabouts

SAY = """
import json, sys
from corral.clients.machine import Whereabouts
print(json.dumps(Whereabouts.here().as_facts()), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """A process that says where it is, and waits for its end."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", SAY], stdin=pipe, stdout=pipe, text=True) as one:
        yield one
        one.kill()


def whereabouts_of(process: subprocess.Popen[str]) -> Whereabouts:

    assert process.stdout
    found = Whereabouts.read(json.loads(process.stdout.readline()))
    assert found
    return found


def test_a_process_that_lives_has_not_ended(process):
    assert whereabouts_of(process).find_end() == ""
    assert Whereabouts.here().find_end() == ""


def test_a_process_that_was_killed_is_gone_even_before_its_parent_asks(process):
    there = whereabouts_of(process)
    process.kill()
    process.wait()

    assert there.find_end() == f"its process {there.pid} is gone from {there.host}"


def test_a_number_that_another_process_got_proves_that_the_first_is_gone():
    earlier = replace(Whereabouts.here(), started=1)

    assert "is gone from" in earlier.find_end()


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"host": "other"},
        {"pids": "pid:[1]"},
        {"user": 4711},
        {"boot": "before", "machine": "other"},
        {"boot": "before", "machine": ""},
        {"boot": ""},
        {"started": 0},
    ],
    ids=str,
)
def test_what_cannot_be_seen_from_here_proves_nothing(elsewhere):
    there = replace(Whereabouts.here(), pid=2**22 + 1, **{"machine": "mine"} | elsewhere)

    assert there.find_end() == ""


def test_a_boot_ends_all_that_was_before(monkeypatch):
    here = replace(Whereabouts.here(), machine="mine")
    monkeypatch.setattr(Whereabouts, "here", classmethod(lambda _: here))
    there = replace(here, boot="before")

    assert there.find_end() == f"{here.host} was started anew since"


@pytest.mark.parametrize("facts", [{}, {"pid": 1}, Whereabouts.here().as_facts() | {"pid": "x"}])
def test_facts_that_are_not_whole_are_nobodys(facts):
    assert Whereabouts.read(facts) is None
