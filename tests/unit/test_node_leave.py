"""Leaving: what becomes of the host for every end of its machine, and what people hear of it."""

import json
import logging

import pytest
from corral_node import alerts, environment, leave
from corral_node.config import JoinConfig
from corral_node.errors import DeadlineError, NodeError, NotYetError
from corral_node.leave import Ending, judge, next_step
from corral_node.memory import Memory
from corral_node.metadata import Identity
from corral_node.rancher import Found, Host, Rancher
from corral_node.steps import Move

IDENTITY = Identity("i-1", "123456789012", "eu-west-1", "10.0.0.7")
CONFIG = JoinConfig(
    region="eu-west-1",
    rancher_url="https://rancher.example.org",
    secret_id="blue/environments/default",
    environment="default",
    labels={"role": "web"},
    deadline_s=600,
)
PAGERDUTY = f"pagerduty://{'a' * 32}@{'b' * 20}/corral"
KEY = "corral/default/leave/i-1"

# Which actions Rancher offers in a stored state. Source: cattle, spring-process-context.xml.
OFFERED = {
    "active": {"deactivate", "evacuate", "update"},
    "deactivating": {"remove"},
    "inactive": {"activate", "evacuate", "remove", "update"},
    "removing": set(),
    "removed": {"purge"},
    "purged": set(),
}


@pytest.mark.parametrize(
    ("state", "ending"),
    [
        ("pending", Ending.RESTARTS),
        ("running", Ending.RESTARTS),
        ("stopping", Ending.STOPS),
        ("stopped", Ending.STOPS),
        ("shutting-down", Ending.ENDS),
        ("terminated", Ending.ENDS),
        ("a word of next year", Ending.STOPS),
    ],
)
def test_ec2_says_what_becomes_of_a_machine(state, ending):
    assert judge(state) is ending


@pytest.mark.parametrize(
    ("state", "stops", "ends"),
    [
        ("active", Move.EVACUATE, Move.EVACUATE),
        ("inactive", Move.GONE, Move.REMOVE),
        ("removing", Move.WAIT, Move.WAIT),
        ("removed", Move.GONE, Move.PURGE),
        ("purged", Move.GONE, Move.GONE),
    ],
)
def test_a_machine_that_stops_keeps_its_host_and_one_that_ends_does_not(state, stops, ends):
    host = Host("1h1", state, "active", frozenset(OFFERED[state]), removed=state == "removed")

    def step(ending: Ending) -> Move:
        return next_step(host, ending, drain=True, is_busy=False, is_evacuating=False)

    assert (step(Ending.STOPS), step(Ending.ENDS)) == (stops, ends)


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class World:
    """EC2, Rancher and people as one machine meets them; Rancher's host goes through its states."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.instance_state = "shutting-down"
        self.state = "active"
        self.busy_until = 0.0
        self.strangers: tuple[Host, ...] = ()
        self.acts: list[str] = []
        self.told: list[tuple[str, str, bool]] = []
        self.trouble: dict[str, Exception] = {}
        self.keys_read = 0

    def answer(self, question: str) -> None:
        if question in self.trouble:
            raise self.trouble[question]

    def read_state(self, region: str, instance_id: str) -> str:
        assert (region, instance_id) == ("eu-west-1", "i-1")
        self.answer("ec2")
        return self.instance_state

    def read_secret(self, *_: object) -> dict[str, str]:
        self.answer("secret")
        self.keys_read += 1
        return {
            "project_id": "1a5", "access_key": "key", "secret_key": "s3cret", "alerts": PAGERDUTY,
        }  # fmt: skip

    def find_host(self, instance_id: str, address: str) -> Found:
        assert (instance_id, address) == ("i-1", "10.0.0.7")
        self.answer("hosts")
        is_gone = self.state in ("", "removing", "removed", "purged")
        return Found(None if is_gone else self.host("1h1"), self.strangers)

    def host(self, host_id: str) -> Host | None:
        assert host_id == "1h1"
        self.answer("hosts")
        offered = frozenset(OFFERED[self.state])
        return Host(
            "1h1", self.state, "active", offered, removed=self.state in ("removed", "purged")
        )

    def act(self, host: Host, action: str) -> None:
        self.answer(action)
        assert action in host.actions
        self.acts.append(action)
        after = {"evacuate": "inactive", "deactivate": "inactive", "remove": "removed"}
        self.state = after.get(action, "purged")

    def is_busy(self, _host: Host) -> bool:
        return self.clock.now < self.busy_until

    def tell(self, problem: alerts.Problem, *, is_over: bool) -> None:
        self.answer("pagerduty")
        self.told.append((problem.key, problem.text, is_over))


@pytest.fixture
def world(monkeypatch):
    clock = Clock()
    world = World(clock)
    monkeypatch.setattr("time.monotonic", lambda: clock.now)
    monkeypatch.setattr("time.sleep", clock.sleep)
    monkeypatch.setattr(leave, "read_identity", lambda: IDENTITY)
    monkeypatch.setattr(leave, "read_state", world.read_state)
    monkeypatch.setattr(environment, "read_secret", world.read_secret)
    monkeypatch.setattr(Rancher, "find_host", lambda _, *who: world.find_host(*who))
    monkeypatch.setattr(Rancher, "host", lambda _, host_id: world.host(host_id))
    monkeypatch.setattr(Rancher, "act", lambda _, host, action: world.act(host, action))
    monkeypatch.setattr(Rancher, "is_busy", lambda _, host: world.is_busy(host))
    monkeypatch.setattr(
        alerts.PagerDuty,
        "send",
        lambda _, problem, *, is_over: world.tell(problem, is_over=is_over),
    )
    return world


@pytest.fixture
def memory(tmp_path):
    return Memory(tmp_path)


def test_a_machine_that_ends_takes_its_host_along(world, memory):
    leave.leave(CONFIG, memory)

    assert world.acts == ["evacuate", "remove", "purge"]
    assert memory.parked_host == ""
    assert world.told == []


def test_a_machine_that_stops_parks_its_host(world, memory):
    world.instance_state = "stopping"

    leave.leave(CONFIG, memory)

    assert world.acts == ["evacuate"]
    assert memory.parked_host == "1h1"


def test_a_host_that_somebody_took_out_of_service_is_not_parked(world, memory):
    world.instance_state, world.state = "stopping", "inactive"

    leave.leave(CONFIG, memory)

    assert world.acts == []
    assert memory.parked_host == ""


def test_a_machine_that_starts_anew_touches_nothing_and_reads_no_secret(world, memory):
    world.instance_state = "running"

    leave.leave(CONFIG, memory)

    assert world.acts == []
    assert world.keys_read == 0


def test_a_machine_whose_end_nobody_can_tell_is_taken_for_one_that_stops(world, memory):
    world.trouble["ec2"] = NotYetError("EC2 answered UnauthorizedOperation")

    leave.leave(CONFIG, memory)

    assert world.acts == ["evacuate"]
    assert memory.parked_host == "1h1"


def test_a_host_that_is_gone_needs_nothing(world, memory):
    world.state = ""

    leave.leave(CONFIG, memory)

    assert world.acts == []


@pytest.mark.parametrize(
    ("state", "acts"), [("active", ["evacuate", "remove", "purge"]), ("", [])], ids=["both", "one"]
)
def test_a_host_with_another_machines_label_is_told_and_not_touched(
    world, memory, caplog, state, acts
):
    world.state, world.strangers = state, (Host("1h9", "active", address="10.0.0.99"),)

    leave.leave(CONFIG, memory)

    assert world.acts == acts
    assert "aws.instance_id is wrong on 1h9 at 10.0.0.99" in caplog.text


def test_containers_get_time_to_move_but_not_for_ever(world, memory):
    world.busy_until = 1010.0
    leave.leave(CONFIG, memory)
    assert world.clock.now >= 1010
    assert world.acts == ["evacuate", "remove", "purge"]

    world.state, world.busy_until, began = "active", 2e9, world.clock.now
    leave.leave(CONFIG, memory)
    assert leave.DRAIN_S <= world.clock.now - began < leave.DEADLINE_S
    assert world.acts[3:] == ["evacuate", "remove", "purge"]


def test_purging_may_be_left_to_rancher(world, memory):
    world.trouble["purge"] = NotYetError("answered 409")

    leave.leave(CONFIG, memory)

    assert world.acts == ["evacuate", "remove"]
    assert world.told == []


def test_containers_are_told_to_move_however_late_it_is(world, memory, monkeypatch):
    monkeypatch.setattr(leave, "DRAIN_S", 0.0)

    leave.leave(CONFIG, memory)

    assert world.acts == ["evacuate", "remove", "purge"]


def test_an_evacuation_that_never_works_does_not_keep_the_host(world, memory):
    world.trouble["evacuate"] = NotYetError("answered 422")

    leave.leave(CONFIG, memory)

    assert world.acts == ["deactivate", "remove", "purge"]


def test_who_cannot_leave_says_so_once_within_its_time(world, memory):
    world.trouble["hosts"] = NotYetError("Rancher does not answer (ConnectTimeout)")
    began = world.clock.now

    for _ in range(2):
        with pytest.raises(DeadlineError, match=r"does not answer.*reconcile-hosts removes it"):
            leave.leave(CONFIG, memory)

    assert world.clock.now - began < 2 * (leave.DEADLINE_S + leave.INTERVAL_S)
    [(key, text, is_over)] = world.told
    assert (key, is_over) == (KEY, False)
    assert "does not answer" in text
    assert "s3cret" not in text


def test_what_could_not_be_told_is_told_the_next_time(world, memory):
    world.trouble = {"hosts": NotYetError("silent"), "pagerduty": NotYetError("answered 503")}
    with pytest.raises(DeadlineError):
        leave.leave(CONFIG, memory)
    del world.trouble["pagerduty"]
    with pytest.raises(DeadlineError):
        leave.leave(CONFIG, memory)

    assert [(key, is_over) for key, _, is_over in world.told] == [(KEY, False)]


def test_a_problem_is_over_when_its_machine_and_host_are_gone(world, memory):
    channel = alerts.read_channels(PAGERDUTY)[0]
    memory.note_told("corral/default/join/i-1", [channel.digest])

    leave.leave(CONFIG, memory)

    assert [(key, is_over) for key, _, is_over in world.told] == [("corral/default/join/i-1", True)]
    assert memory.told == {}


def test_a_secret_that_cannot_be_read_leaves_nobody_to_tell(world, memory, caplog):
    world.trouble["secret"] = NotYetError("Secrets Manager answered AccessDeniedException")

    caplog.set_level(logging.INFO, "corral_node")

    with pytest.raises(DeadlineError, match="AccessDenied"):
        leave.leave(CONFIG, memory)
    assert world.told == []
    assert "nobody is told" in caplog.text


def test_what_cannot_be_remembered_is_not_done(world, tmp_path):
    world.instance_state = "stopping"

    with pytest.raises(NodeError, match=r"memory\.json cannot be written"):
        leave.leave(CONFIG, Memory(tmp_path / "nowhere"))
    assert world.acts == []
    assert [key for key, *_ in world.told] == [KEY]


def test_what_hangs_is_cut_off_and_told(world, memory, monkeypatch):
    def hang(*_: object) -> None:
        while True:
            pass

    monkeypatch.setattr(leave, "GRACE_S", 0.2)
    monkeypatch.setattr(leave, "DEADLINE_S", 0.0)
    monkeypatch.setattr(Rancher, "find_host", hang)

    with pytest.raises(DeadlineError, match="host i-1 leaving default took longer"):
        leave.leave(CONFIG, memory)
    assert [key for key, *_ in world.told] == [KEY]


def test_the_memory_holds_no_secret(world, memory, tmp_path):
    world.trouble["hosts"] = NotYetError("silent")
    with pytest.raises(DeadlineError):
        leave.leave(CONFIG, memory)

    [path] = tmp_path.iterdir()
    assert json.loads(path.read_text())["told"].keys() == {KEY}
    assert "a" * 32 not in path.read_text()
