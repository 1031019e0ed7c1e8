"""How a host is taken out of Rancher: step by step, from wherever it is, once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from corral.clients.rancher import Outcome, OutcomeKind, Patience, remove_host
from corral.domain.hosts import Host
from corral.domain.steps import Move
from corral.errors import (
    RancherAnswerError,
    RancherConflictError,
    RancherError,
    RancherGoneError,
    RancherRefusedError,
    RancherUnreachableError,
)

# What cattle offers by the stored state. Source: cattle, spring-process-context.xml.
OFFERED = {
    "active": {"deactivate", "evacuate"},
    "disconnected": {"deactivate", "evacuate"},
    "deactivating": {"remove"},
    "inactive": {"activate", "evacuate", "remove"},
    "activating": set(),
    "removing": set(),
    "removed": {"purge"},
    "purged": set(),
}
STEPS = {
    "evacuate": ("deactivating", "inactive"),
    "deactivate": ("deactivating", "inactive"),
    "activate": ("activating", "active"),
    "remove": ("removing", "removed"),
    "purge": ("purging", "purged"),
}
PATIENCE = Patience(deadline=timedelta(seconds=10), interval=timedelta(seconds=1))


def host(state: str = "disconnected", **more: object) -> Host:
    made = Host(
        id="1h5",
        project_id="1a5",
        name="web-1",
        address="10.0.0.5",
        state=state,
        agent_state="disconnected",
        labels={},
        created=datetime(2026, 11, 2, tzinfo=UTC),
        actions=frozenset(OFFERED[state]),
        is_removed=state in ("removed", "purged"),
    )
    return replace(made, **more)


@dataclass
class Rancher:
    """One host; each step takes some seconds of a clock that only sleeping moves."""

    state: str = "disconnected"
    takes: float = 0.0
    user_containers: int = 0
    exists: bool = True
    now: float = 0.0
    faults: list[RancherError | None] = field(default_factory=list)
    """What the next calls end with; None lets one through."""
    lost: bool = False
    """Whether a step is taken although its call ends with a fault."""
    done: list[str] = field(default_factory=list)
    looks: int = 0
    agent_state: str = "disconnected"
    _due: tuple[float, str] | None = None

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def clock(self) -> float:
        return self.now

    def host(self, project_id: str, host_id: str) -> Host | None:
        assert (project_id, host_id) == ("1a5", "1h5")
        self.looks += 1
        self._fail()
        self._settle()
        if not self.exists:
            return None
        return host(self.state, agent_state=self.agent_state)

    def act_on_host(self, project_id: str, host_id: str, action: str) -> None:
        assert (project_id, host_id) == ("1a5", "1h5")
        if not self.lost:
            self._fail()
        self._settle()
        if action not in OFFERED[self.state]:
            raise RancherConflictError(f"{action} is not available", status=422)
        self.done.append(str(action))
        self.state, after = STEPS[action]
        self._due = (self.now + self.takes, after)
        if action == "evacuate":
            self.user_containers = 0
        if self.lost:
            self._fail()

    def is_busy(self, project_id: str, host_id: str) -> bool:
        assert (project_id, host_id) == ("1a5", "1h5")
        return self.user_containers > 0

    def _settle(self) -> None:
        if self._due and self._due[0] <= self.now:
            self.state, self._due = self._due[1], None

    def _fail(self) -> None:
        fault = self.faults.pop(0) if self.faults else None
        if fault:
            raise fault


def remove(
    rancher: Rancher,
    *,
    drain: bool = False,
    object_to: Callable[[Host], str] = lambda _: "",
    on_move: Callable[[Move, Host], None] = lambda *_: None,
) -> Outcome:
    return remove_host(
        rancher,
        host(),
        drain=drain,
        patience=PATIENCE,
        object_to=object_to,
        on_move=on_move,
        sleep=rancher.sleep,
        clock=rancher.clock,
    )


@pytest.mark.parametrize("takes", [0.0, 2.5])
@pytest.mark.parametrize(
    ("state", "steps"),
    [
        ("active", ["deactivate", "remove", "purge"]),
        ("disconnected", ["deactivate", "remove", "purge"]),
        ("inactive", ["remove", "purge"]),
        ("removed", ["purge"]),
        ("purged", []),
    ],
)
def test_a_host_is_removed_from_wherever_it_is(state, takes, steps):
    rancher = Rancher(state=state, takes=takes)

    assert remove(rancher) == Outcome("1h5", OutcomeKind.REMOVED, "host 1h5 is removed")
    assert rancher.done == steps


def test_a_host_that_is_gone_already_is_removed():
    rancher = Rancher(exists=False)

    assert remove(rancher) == Outcome("1h5", OutcomeKind.REMOVED, "host 1h5 is gone")
    assert not rancher.done


def test_a_host_that_goes_between_look_and_step_is_removed():
    rancher = Rancher(faults=[None, RancherGoneError("404", status=404)])

    assert remove(rancher).kind is OutcomeKind.REMOVED
    assert not rancher.done


def test_a_host_that_changes_between_look_and_step_is_looked_at_again():
    rancher = Rancher(faults=[None, RancherConflictError("409", status=409)])

    assert remove(rancher).kind is OutcomeKind.REMOVED
    assert rancher.done == ["deactivate", "remove", "purge"]


@pytest.mark.parametrize("lost", [False, True])
def test_a_step_without_an_answer_is_looked_up_and_not_taken_twice(lost):
    rancher = Rancher(faults=[None, RancherUnreachableError("reset")], lost=lost)

    assert remove(rancher).kind is OutcomeKind.REMOVED
    assert rancher.done == ["deactivate", "remove", "purge"]


def test_steps_that_are_never_answered_are_given_up():
    rancher = Rancher(faults=[None, RancherUnreachableError("503")] * 9)

    outcome = remove(rancher)

    assert outcome == Outcome("1h5", OutcomeKind.FAILED, "host 1h5 could not be removed: 503")
    assert rancher.looks == 3


@pytest.mark.parametrize("kind", [RancherUnreachableError, RancherAnswerError, RancherRefusedError])
def test_a_host_that_cannot_be_looked_at_is_left(kind):
    rancher = Rancher(faults=[kind("no luck")])

    outcome = remove(rancher)

    assert outcome == Outcome("1h5", OutcomeKind.FAILED, "host 1h5 could not be removed: no luck")
    assert not rancher.done


def test_a_step_that_is_forbidden_is_not_tried_again():
    rancher = Rancher(faults=[None, RancherRefusedError("403", status=403)])

    assert remove(rancher).kind is OutcomeKind.FAILED
    assert rancher.looks == 1


def test_a_host_that_stays_in_a_state_is_left_to_the_next_run():
    rancher = Rancher(state="removing")

    assert remove(rancher) == Outcome(
        "1h5",
        OutcomeKind.UNDER_WAY,
        "host 1h5 is removing after 10 s of work on it: the next run goes on",
    )
    assert rancher.now <= PATIENCE.deadline.total_seconds()


def test_looks_come_quickly_after_a_step_and_then_at_the_interval():
    rancher = Rancher(takes=5)
    looks = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        rancher.sleep(seconds)

    remove_host(rancher, host(), drain=False, patience=PATIENCE, sleep=sleep, clock=rancher.clock)

    # the second step is legal at once: cattle removes what is still deactivating
    assert looks[:6] == [0.125, 0.125, 0.25, 0.5, 1.0, 1.0]


@pytest.mark.parametrize("kind", [RancherUnreachableError, RancherRefusedError, RancherGoneError])
def test_a_purge_that_fails_does_not_matter(kind):
    rancher = Rancher(state="removed", faults=[None, kind("no luck")])

    assert remove(rancher).kind is OutcomeKind.REMOVED


def test_an_objection_cancels_the_removal_before_anything_is_done():
    rancher = Rancher(agent_state="active")

    outcome = remove(rancher, object_to=lambda found: f"its agent is {found.agent_state}")

    assert outcome == Outcome("1h5", OutcomeKind.CANCELLED, "host 1h5 stays: its agent is active")
    assert not rancher.done


def test_nobody_is_asked_about_a_host_that_is_out_of_rancher():
    outcome = remove(Rancher(state="removed"), object_to=lambda _: "never")

    assert outcome.kind is OutcomeKind.REMOVED


def answers(found: Host) -> str:
    return "its agent is back" if found.agent_state == "active" else ""


def come_back_after(rancher: Rancher, action: str) -> None:
    """Have the agent of the host come back as soon as this is done to it."""
    act = rancher.act_on_host

    def act_on_host(project_id: str, host_id: str, done: str) -> None:
        act(project_id, host_id, done)
        rancher.agent_state = "active" if done == action else rancher.agent_state

    rancher.act_on_host = act_on_host


@pytest.mark.parametrize("takes", [0.0, 2.5])
@pytest.mark.parametrize(("drain", "first"), [(False, "deactivate"), (True, "evacuate")])
def test_a_host_that_comes_back_half_way_is_in_service_again(drain, first, takes):
    rancher = Rancher(takes=takes, user_containers=1)
    come_back_after(rancher, first)

    outcome = remove(rancher, drain=drain, object_to=answers)

    assert outcome == Outcome(
        "1h5",
        OutcomeKind.CANCELLED,
        "host 1h5 stays, and is in service as before: its agent is back",
    )
    assert rancher.done == [first, "activate"]
    assert rancher.state == "active"


def test_while_our_step_lasts_a_host_is_asked_about_as_well(monkeypatch):
    """Rancher offers nothing then, so there is no next step before which to ask."""
    rancher = Rancher(takes=2.5)
    come_back_after(rancher, "deactivate")
    monkeypatch.setitem(OFFERED, "deactivating", set())

    outcome = remove(rancher, object_to=answers)

    assert outcome.kind is OutcomeKind.CANCELLED
    assert rancher.done == ["deactivate", "activate"]


def test_a_host_that_somebody_else_took_out_of_service_stays_so():
    rancher = Rancher(state="inactive", agent_state="active")

    outcome = remove(rancher, object_to=answers)

    assert outcome == Outcome("1h5", OutcomeKind.CANCELLED, "host 1h5 stays: its agent is back")
    assert not rancher.done


def test_whoever_comes_back_at_the_end_of_the_runs_time_is_in_service_again_all_the_same():
    rancher = Rancher(takes=9.0)
    come_back_after(rancher, "deactivate")

    outcome = remove(rancher, object_to=answers)

    assert outcome.kind is OutcomeKind.CANCELLED
    assert rancher.now > PATIENCE.deadline.total_seconds()
    assert rancher.state == "active"


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        pytest.param([RancherRefusedError("403", status=403)], "403", id="refused"),
        pytest.param([RancherUnreachableError("503")] * 9, "503", id="unreachable"),
        pytest.param([RancherConflictError("409")] * 999, "it is inactive after 30 s", id="never"),
    ],
)
def test_a_host_that_cannot_be_activated_again_is_told_of(faults, why):
    rancher = Rancher()
    come_back_after(rancher, "deactivate")
    act = rancher.act_on_host

    def act_on_host(project_id: str, host_id: str, action: str) -> None:
        if action == "activate":
            raise faults.pop(0)
        act(project_id, host_id, action)

    rancher.act_on_host = act_on_host

    outcome = remove(rancher, object_to=answers)

    assert outcome == Outcome(
        "1h5",
        OutcomeKind.OUT_OF_SERVICE,
        "host 1h5 stays, but out of service: its agent is back; it could not be activated again"
        f" ({why}): activate it in Rancher by hand",
    )
    assert rancher.done == ["deactivate"]


def test_what_our_own_steps_change_is_no_objection():
    seen = []

    def object_to(found: Host) -> str:
        seen.append((found.state, found.actions))
        return ""

    remove(Rancher(), object_to=object_to)

    assert seen == [("disconnected", host().actions)] * 2


def test_steps_are_told_before_they_are_taken():
    rancher = Rancher()
    told = []

    remove(rancher, on_move=lambda move, found: told.append((move, found.state, len(rancher.done))))

    assert told == [
        (Move.DEACTIVATE, "disconnected", 0),
        (Move.REMOVE, "inactive", 1),
        (Move.PURGE, "removed", 2),
    ]


def test_a_drained_host_is_evacuated_and_removed_once_it_is_idle():
    rancher = Rancher(state="active", user_containers=2, takes=1.0)

    assert remove(rancher, drain=True).kind is OutcomeKind.REMOVED
    assert rancher.done == ["evacuate", "remove", "purge"]


def test_a_deactivated_host_whose_drain_died_is_evacuated_all_the_same():
    rancher = Rancher(state="inactive", user_containers=2)

    assert remove(rancher, drain=True).kind is OutcomeKind.REMOVED
    assert rancher.done == ["evacuate", "remove", "purge"]


def test_a_host_that_does_not_get_idle_is_not_removed():
    rancher = Rancher(state="inactive", user_containers=2)
    busy = replace_evacuation(rancher)

    outcome = remove(rancher, drain=True)

    assert outcome.kind is OutcomeKind.UNDER_WAY
    assert busy == ["evacuate"]


def replace_evacuation(rancher: Rancher) -> list[str]:
    """Have containers that no evacuation moves."""
    act = rancher.act_on_host

    def act_on_host(project_id: str, host_id: str, action: str) -> None:
        act(project_id, host_id, action)
        rancher.user_containers = 2

    rancher.act_on_host = act_on_host
    return rancher.done


def test_a_dead_host_is_removed_with_its_containers():
    rancher = Rancher(user_containers=2)

    assert remove(rancher).kind is OutcomeKind.REMOVED
    assert rancher.done == ["deactivate", "remove", "purge"]
