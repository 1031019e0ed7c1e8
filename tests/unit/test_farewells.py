"""Which incidents of machines are ended once their hosts are gone, and what stops that."""

from dataclasses import replace

import pytest
from corral_node.alerts import Kind, Place
from corral_node.alerts import Problem as ProblemOfMachine
from herd_doubles import ACTIONS, host, instance_id
from pydantic import SecretStr

from corral.clients.alerts import Channel
from corral.clients.rancher.removal import Outcome, OutcomeKind
from corral.domain.herd import Evidence, Removal
from corral.domain.incidents import find_incidents
from corral.errors import AlertError
from tasks.farewells import PATIENCE_S, end_all, gone_of

PAGER = Channel("pager", SecretStr("json://pager"))
KEYS = [f"corral/main/leave/i-{number}" for number in range(4)]


def key(kind: Kind, number: int) -> str:
    return ProblemOfMachine(kind, Place("main", instance_id(number)), "").key


def test_a_machine_may_have_told_that_it_could_not_leave_or_join():
    machines = [("main", instance_id(1)), ("main", instance_id(2)), ("", "i-3"), ("main", "")]

    assert find_incidents(machines * 2) == [
        key(Kind.LEAVE, 1),
        key(Kind.LEAVE, 2),
        key(Kind.JOIN, 1),
        key(Kind.JOIN, 2),
    ]


@pytest.mark.parametrize("state", ["active", "inactive"])
def test_every_host_that_is_gone_counts_whatever_state_it_was_in(state: str):
    facts = {"labels": {"env": "main"}, "state": state, "actions": ACTIONS[state]}
    hosts = [replace(host(number), **facts) for number in (1, 2, 3)]
    removals = [
        Removal(one, instance_id(number), Evidence.TERMINATED, "")
        for number, one in enumerate(hosts, 1)
    ]
    kinds = (OutcomeKind.REMOVED, OutcomeKind.CANCELLED, OutcomeKind.FAILED)
    outcomes = [Outcome(f"1h{number}", kind, "") for number, kind in enumerate(kinds, 1)]

    assert gone_of(removals, outcomes) == [("main", instance_id(1))]


class Pager:
    """Ends incidents, each in so many seconds, but for those that it refuses."""

    def __init__(self, *refused: str, seconds: float = 0.0) -> None:
        self._refused = refused
        self._seconds = seconds
        self.now = 0.0
        self.ended: list[str] = []

    def end(self, channel: Channel, incident: str) -> None:
        self.now += self._seconds
        if incident in self._refused:
            raise AlertError(channel.name, "answered 400.")
        self.ended.append(incident)

    def end_all(self, until: float = 1000.0) -> list[str]:
        return end_all(PAGER, KEYS, self.end, until=until, clock=lambda: self.now)


def test_one_incident_that_cannot_be_ended_stops_no_other():
    pager = Pager(KEYS[1])

    assert pager.end_all() == [KEYS[1]]
    assert pager.ended == [KEYS[0], *KEYS[2:]]


def test_a_channel_that_takes_long_to_fail_is_left_alone():
    pager = Pager(*KEYS, seconds=PATIENCE_S / 2)

    assert pager.end_all() == KEYS
    assert pager.now == PATIENCE_S


def test_there_is_an_end_to_ending_incidents():
    pager = Pager(seconds=1.0)

    assert pager.end_all(until=2.0) == KEYS[2:]
