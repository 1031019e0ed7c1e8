"""How the hosts of a pool leave Rancher before their machines end."""

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from corral.clients.rancher import Patience
from corral.domain.hosts import INSTANCE_LABEL, Host
from corral.errors import GateTimeoutError, RancherConflictError
from tasks.emptying import Emptying

# What cattle offers by the stored state. Source: cattle, spring-process-context.xml.
OFFERED = {
    "active": {"deactivate", "evacuate"},
    "inactive": {"activate", "evacuate", "remove"},
    "removed": {"purge"},
    "purged": set[str](),
}
AFTER = {"evacuate": "inactive", "deactivate": "inactive", "remove": "removed", "purge": "purged"}
POOL = ("i-1", "i-2", "i-3")
PROJECT = "1a5"
DRAIN_S = 60.0


class KilledError(BaseException):
    """The process is killed, as far as the world can tell."""


@dataclass
class Rancher:
    """Hosts with containers, which need some looks to leave; `done` is what was asked, in order."""

    states: dict[str, str] = field(default_factory=dict)
    """By the instance that a host is on."""
    busy: dict[str, int] = field(default_factory=dict)
    """How many looks the containers of a host need to leave; -1 is for ever."""
    done: list[tuple[str, str]] = field(default_factory=list)
    joining: deque[str] = field(default_factory=deque)
    """Machines whose hosts appear one by one, with each reading of the list."""
    connected: bool = True
    killed_after: int | None = None
    stuck: str = ""
    """Where nothing is done any more."""

    def herd(self) -> list[Host]:
        if self.joining:
            self.states[self.joining.popleft()] = "active"
        shown = (one for one, state in self.states.items() if state not in ("removed", "purged"))
        return [self._host(one) for one in shown]

    def host(self, project_id: str, host_id: str) -> Host | None:
        assert project_id == PROJECT
        return self._host(host_id.removeprefix("1h-"))

    def is_busy(self, project_id: str, host_id: str) -> bool:
        assert project_id == PROJECT
        machine = host_id.removeprefix("1h-")
        left = self.busy.get(machine, 0)
        if left > 0 and ("evacuate", machine) in self.done:
            self.busy[machine] = left - 1
        return left != 0

    def act_on_host(self, project_id: str, host_id: str, action: str) -> None:
        assert project_id == PROJECT
        machine = host_id.removeprefix("1h-")
        if action not in OFFERED[self.states[machine]]:
            raise RancherConflictError("not now", status=422)
        self.done.append((str(action), machine))
        if machine != self.stuck:
            self.states[machine] = AFTER[action]
        if self.killed_after is not None and len(self.done) >= self.killed_after:
            raise KilledError

    def _host(self, machine: str) -> Host:
        state = self.states[machine]
        return Host(
            id=f"1h-{machine}",
            project_id=PROJECT,
            name=machine,
            address="10.0.0.1",
            state=state,
            agent_state="active" if self.connected else "disconnected",
            labels={INSTANCE_LABEL: machine},
            created=datetime(2026, 11, 2, tzinfo=UTC),
            actions=frozenset(OFFERED[state]),
            is_removed=state in ("removed", "purged"),
        )


@dataclass
class Clock:
    """Moved by sleeping only."""

    now: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def emptying(rancher: Rancher, clock: Clock, said: list[str]) -> Emptying:
    return Emptying(
        rancher,
        Patience(deadline=timedelta(seconds=20), interval=timedelta(seconds=1)),
        drain_time=timedelta(seconds=DRAIN_S),
        workers=1,
        tell=said.append,
        sleep=clock.sleep,
        clock=clock,
    )


def empty(rancher: Rancher, clock: Clock | None = None) -> tuple[str, ...]:
    return emptying(rancher, clock or Clock(), []).empty(lambda: POOL)


def a_pool(**more: object) -> Rancher:
    return replace(Rancher(dict.fromkeys((*POOL, "i-of-another"), "active")), **more)


def test_all_hosts_of_the_pool_leave_and_no_other():
    rancher = a_pool()

    assert sorted(empty(rancher)) == ["1h-i-1", "1h-i-2", "1h-i-3"]
    assert rancher.states == dict.fromkeys(POOL, "purged") | {"i-of-another": "active"}


def test_every_host_is_closed_before_the_first_is_evacuated():
    rancher = a_pool(busy=dict.fromkeys(POOL, 2))

    empty(rancher)

    assert rancher.done[:3] == [("deactivate", machine) for machine in POOL]
    assert ("evacuate", "i-1") in rancher.done[3:]


def test_a_host_stays_until_its_containers_have_left():
    rancher = a_pool(busy={"i-1": 3})

    empty(rancher)

    assert rancher.busy["i-1"] == 0
    assert rancher.states["i-1"] == "purged"


def test_containers_that_do_not_leave_are_waited_for_no_longer_than_the_pool_allows():
    rancher, clock = a_pool(busy={"i-1": -1}), Clock()

    empty(rancher, clock)

    assert rancher.states["i-1"] == "purged"
    assert clock.now == pytest.approx(DRAIN_S, abs=5)


def test_a_host_whose_agent_is_silent_is_not_asked_to_move_containers():
    rancher = a_pool(busy={"i-1": -1}, connected=False)

    empty(rancher)

    assert "evacuate" not in {action for action, _ in rancher.done}
    assert rancher.states["i-1"] == "purged"


def test_a_host_that_joins_meanwhile_leaves_as_well():
    rancher = Rancher(joining=deque(["i-1", "i-2"]))

    assert empty(rancher) == ("1h-i-1", "1h-i-2")
    assert rancher.states == {"i-1": "purged", "i-2": "purged"}


def test_a_host_that_does_not_go_is_named():
    rancher = a_pool(stuck="i-2")

    with pytest.raises(GateTimeoutError, match="host 1h-i-2"):
        empty(rancher)

    assert rancher.states["i-3"] == "purged", "one that is stuck holds up no other"


def test_an_empty_pool_asks_for_nothing():
    rancher = Rancher({"i-of-another": "active"})

    assert empty(rancher) == ()
    assert rancher.done == []


def test_whoever_is_killed_at_any_step_is_finished_by_the_next_run():
    undisturbed = a_pool(busy=dict.fromkeys(POOL, 2))
    empty(undisturbed)

    for step in range(1, len(undisturbed.done) + 1):
        rancher = a_pool(busy=dict.fromkeys(POOL, 2), killed_after=step)
        with pytest.raises(KilledError):
            empty(rancher)
        rancher.killed_after = None

        empty(rancher)

        gone = {machine: rancher.states[machine] for machine in POOL}
        assert set(gone.values()) <= {"removed", "purged"}, step
        assert rancher.states["i-of-another"] == "active"
