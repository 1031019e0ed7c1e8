"""The way through access control where several servers answer, and not all of them alike."""

from datetime import timedelta
from itertools import cycle
from types import SimpleNamespace
from typing import Any

import pytest

from corral.clients.rancher import Patience
from corral.clients.rancher.set_up.github import GithubDoor
from corral.clients.rancher.set_up.guests import await_shut_door, find_wrong_guests
from corral.cluster import GithubAccess
from corral.domain.set_up.access import AccessMove
from corral.domain.set_up.steps import Did, Step
from corral.errors import RancherUnsettledError

PATIENCE = Patience(deadline=timedelta(seconds=20), interval=timedelta(milliseconds=1))
ACCESS = GithubAccess(kind="github", secret="lab/github", organizations=("acme",))
SHUT, OPEN = (False, True), (True, True)


class Servers:
    """A site whose balancer asks its servers in turn; each says what (stranger, corral) gets."""

    patience = PATIENCE

    def __init__(self, *servers: tuple[bool, bool]) -> None:
        self._turns = cycle(servers)
        self.asked = 0

    def stranger(self) -> Any:
        return SimpleNamespace(is_accepted=lambda: self._ask()[0])

    def administrator(self) -> Any:
        return SimpleNamespace(is_accepted=lambda: self._ask()[1])

    def _ask(self) -> tuple[bool, bool]:
        self.asked += 1
        return next(self._turns)


@pytest.mark.parametrize(
    ("servers", "wrong"),
    [
        pytest.param([SHUT], [], id="one"),
        pytest.param([SHUT, SHUT, SHUT], [], id="all alike"),
        pytest.param([SHUT, SHUT, OPEN], ["it answers strangers"], id="one of three is open"),
        pytest.param([OPEN, SHUT], ["it answers strangers"], id="one of two is open"),
        pytest.param([*[SHUT] * 4, OPEN], ["it answers strangers"], id="one of five is open"),
        pytest.param(
            [SHUT, SHUT, (False, False)], ["it refuses corral's key"], id="one does not know us"
        ),
    ],
)
def test_one_server_that_is_behind_is_seen(servers, wrong):
    assert find_wrong_guests(Servers(*servers)) == wrong


def test_a_door_is_shut_once_it_was_found_so_three_times_in_a_row():
    """The server that is behind comes up in the second look only."""
    first, second = [SHUT] * 10, [OPEN, *[SHUT] * 5]
    site = Servers(*first, *second, *[SHUT] * 100)

    await_shut_door(site)

    assert site.asked == len(first) + len(second) + 3 * len(first)


class Torn(GithubDoor):
    """A door whose servers disagree for ever, or for some steps."""

    def next_move(self) -> AccessMove:
        return next(self.site.moves)

    def _take(self, move: AccessMove) -> Step:
        return Step(move, Did.CHANGED)

    def _remains(self, _: AccessMove) -> list[str]:
        return []


def torn(*moves: AccessMove) -> Torn:
    site: Any = Servers(SHUT)
    site.moves = iter(moves)
    return Torn(site, ACCESS)


def test_a_step_that_does_not_hold_is_taken_twice_and_then_put_off():
    door, taken = torn(*[AccessMove.LET_IN] * 9), []

    with pytest.raises(RancherUnsettledError, match="2 times to let in who is named") as put_off:
        taken.extend(door.steps())

    assert put_off.value.temporary
    assert [step.what for step in taken] == [AccessMove.LET_IN] * 2
    assert len(list(door.site.moves)) == 6


def test_a_step_that_holds_at_the_second_time_goes_on():
    door = torn(AccessMove.LET_IN, AccessMove.LET_IN, AccessMove.KEEP)

    assert [step.what for step in door.steps()] == [AccessMove.LET_IN] * 2
