"""Joining: the next step for every situation, and what the agent is told."""

from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from corral_node import alerts, docker, environment, join
from corral_node.config import JoinConfig
from corral_node.errors import DeadlineError, NotYetError, RefusedError
from corral_node.join import Step, describe_agent, next_step
from corral_node.memory import Memory
from corral_node.metadata import Identity
from corral_node.rancher import Found, Host, Rancher, Registration
from corral_node.waiting import Deadline

IDENTITY = Identity("i-1", "123456789012", "eu-west-1", "10.0.0.7")
REGISTRATION = Registration("rancher/agent:v1.2.11", "https://rancher.example.org/v1/scripts/t0ken")
ACTIVE, COMING = Host("1h1", "active"), Host("1h1", "activating")
PARKED = Host("1h1", "inactive", "active")
PAGERDUTY = f"pagerduty://{'a' * 32}@{'b' * 20}/corral"


def config(**labels: str) -> JoinConfig:
    return JoinConfig(
        region="eu-west-1",
        rancher_url="https://rancher.example.org",
        secret_id="blue/environments/default",
        environment="default",
        labels={"role": "web", **labels},
        deadline_s=600,
    )


def agent(state: str) -> docker.Container:
    return docker.Container("abc", "rancher/agent:v1.2.11", (), {}, state)


RUNNING, STOPPED = agent("running"), agent("exited")


@pytest.mark.parametrize(
    ("host", "container", "launched", "step"),
    [
        pytest.param(None, None, False, Step.REGISTER, id="new-machine"),
        pytest.param(None, RUNNING, True, Step.WAIT, id="registered-just-now"),
        pytest.param(None, RUNNING, False, Step.REGISTER, id="row-was-removed"),
        pytest.param(COMING, RUNNING, True, Step.WAIT, id="on-its-way"),
        pytest.param(ACTIVE, RUNNING, True, Step.DONE, id="there"),
        pytest.param(ACTIVE, RUNNING, False, Step.DONE, id="rebooted"),
        pytest.param(ACTIVE, None, False, Step.REGISTER, id="container-was-removed"),
        pytest.param(ACTIVE, STOPPED, False, Step.START_AGENT, id="agent-was-stopped"),
        pytest.param(Host("1h1", "reconnecting"), RUNNING, False, Step.WAIT, id="silent-so-far"),
        pytest.param(Host("1h1", "inactive"), RUNNING, False, Step.DONE, id="out-of-service"),
    ],
)
def test_each_situation_has_its_next_step(host, container, launched, step):
    assert next_step(host, container, launched=launched) is step


@pytest.mark.parametrize(
    ("host", "container", "step"),
    [
        pytest.param(PARKED, RUNNING, Step.ACTIVATE, id="back-from-a-stop"),
        pytest.param(
            Host("1h1", "inactive", "reconnecting"), RUNNING, Step.WAIT, id="no-agent-yet"
        ),
        pytest.param(PARKED, STOPPED, Step.START_AGENT, id="agent-was-stopped"),
        pytest.param(PARKED, None, Step.REGISTER, id="container-was-removed"),
        pytest.param(
            Host("1h1", "deactivating", "active"), RUNNING, Step.WAIT, id="on-its-way-out"
        ),
        pytest.param(Host("1h1", "activating", "active"), RUNNING, Step.WAIT, id="on-its-way-back"),
        pytest.param(ACTIVE, RUNNING, Step.DONE, id="somebody-was-faster"),
    ],
)
def test_a_host_that_was_only_parked_is_put_into_service_again(host, container, step):
    assert next_step(host, container, parked=True) is step


def test_labels_are_written_as_a_query_and_nobody_overrules_the_machines_own():
    told = describe_agent(
        config(**{"team": "a&b=c d", "aws.instance_id": "i-other"}), IDENTITY, REGISTRATION
    )

    assert told["CATTLE_AGENT_IP"] == "10.0.0.7"
    assert parse_qs(told["CATTLE_HOST_LABELS"], strict_parsing=True) == {
        "role": ["web"],
        "env": ["default"],
        "team": ["a&b=c d"],
        "aws.instance_id": ["i-1"],
        "aws.account_id": ["123456789012"],
        "aws.region": ["eu-west-1"],
    }


class World:
    """Rancher and Docker as one machine sees them, with a record of what was done."""

    def __init__(self) -> None:
        self.host: Host | None = None
        self.strangers: tuple[Host, ...] = ()
        self.containers: dict[str, docker.Container] = {}
        self.runs: list[list[str]] = []
        self.environment: dict[str, str] = {}
        self.secrets_read = 0
        self.refuses = False
        self.acts: list[str] = []
        self.told: list[tuple[str, bool]] = []

    def run(self, arguments, environment, timeout_s) -> None:
        assert timeout_s
        self.runs.append(arguments)
        self.environment = environment
        self.containers["rancher-agent"] = RUNNING

    def find(self, name: str) -> docker.Container | None:
        return self.containers.get(name)

    def remove(self, container: docker.Container) -> None:
        self.containers = {n: one for n, one in self.containers.items() if one is not container}

    def find_host(self, instance_id: str, address: str) -> Found:
        assert (instance_id, address) == ("i-1", "10.0.0.7")
        if self.refuses:
            raise RefusedError("answered 401")
        return Found(self.host, self.strangers)

    def read_secret(self, *_: object) -> dict[str, str]:
        self.secrets_read += 1
        keys = {"project_id": "1a5", "access_key": "key", "secret_key": "s3cret"}
        return {**keys, "alerts": PAGERDUTY}

    def act(self, host: Host, action: str) -> None:
        self.acts.append(f"{action} {host.id}")
        self.host = ACTIVE

    def tell(self, problem: alerts.Problem, *, is_over: bool) -> None:
        self.told.append((problem.key, is_over))


@pytest.fixture
def world(monkeypatch):
    world = World()
    monkeypatch.setattr(environment, "read_secret", world.read_secret)
    monkeypatch.setattr(join, "read_identity", lambda: IDENTITY)
    monkeypatch.setattr(
        alerts.PagerDuty,
        "send",
        lambda _, problem, *, is_over: world.tell(problem, is_over=is_over),
    )
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(Rancher, "act", lambda _, host, action: world.act(host, action))
    monkeypatch.setattr(Rancher, "find_host", lambda _, *who: world.find_host(*who))
    monkeypatch.setattr(Rancher, "registration", lambda _: REGISTRATION)
    monkeypatch.setattr(docker, "find", world.find)
    monkeypatch.setattr(docker, "pull_if_missing", lambda _image, _timeout_s: None)
    monkeypatch.setattr(docker, "run", world.run)
    monkeypatch.setattr(docker, "remove", world.remove)
    return world


@pytest.fixture
def memory(tmp_path):
    return Memory(tmp_path)


@pytest.fixture
def joining(world, memory):
    assert world
    return join._Joining(config(), IDENTITY, memory, Deadline.after(600))


def test_a_new_machine_registers_once_and_waits_for_its_row(world, joining):
    for _ in range(3):
        with pytest.raises(NotYetError, match="does not list it yet"):
            joining.take_step()
    world.host = ACTIVE

    assert joining.take_step() == ACTIVE
    assert len(world.runs) == 1
    assert world.secrets_read == 1


def test_the_launcher_runs_in_the_foreground_and_the_token_is_no_argument(world, joining):
    with pytest.raises(NotYetError):
        joining.take_step()

    assert world.runs[0] == [
        "--rm", "--privileged", "--name", "corral-join",
        "--volume", "/var/run/docker.sock:/var/run/docker.sock",
        "--volume", "/var/lib/rancher:/var/lib/rancher",
        "rancher/agent:v1.2.11", "register",
    ]  # fmt: skip
    assert world.environment["RANCHER_URL"].endswith("/t0ken")


def test_a_launcher_left_behind_is_removed_first(world, joining):
    world.containers["corral-join"] = agent("exited")
    with pytest.raises(NotYetError):
        joining.take_step()

    assert list(world.containers) == ["rancher-agent"]


def test_refused_keys_are_read_again(world, joining):
    world.refuses = True
    for _ in range(2):
        with pytest.raises(RefusedError):
            joining.take_step()

    assert world.secrets_read == 2


def test_a_parked_host_is_active_again_and_forgotten(world, memory):
    world.host, world.containers["rancher-agent"] = PARKED, RUNNING
    memory.park("1h1")

    join.join(config(), memory)

    assert world.acts == ["activate 1h1"]
    assert memory.parked_host == ""


def test_an_operators_own_deactivation_outlives_a_start(world, memory):
    world.host, world.containers["rancher-agent"] = PARKED, RUNNING
    memory.park("1h4")

    join.join(config(), memory)

    assert world.acts == []


def test_what_never_joins_is_told_once_and_its_end_as_well(world, memory):
    late = replace(config(), deadline_s=0)
    for _ in range(3):
        with pytest.raises(DeadlineError, match="does not list it yet"):
            join.join(late, memory)
    world.host = ACTIVE
    for _ in range(2):
        join.join(late, memory)

    key = "corral/default/join/i-1"
    assert world.told == [(key, False), (key, True)]


def test_a_host_with_this_machines_label_is_not_taken_for_its_own(world, joining, caplog):
    world.strangers = (Host("1h9", "active", address="10.0.0.99"), Host("1h8", "activating"))
    wrong = "aws.instance_id is wrong on 1h9 at 10.0.0.99, 1h8 at no address"

    with pytest.raises(NotYetError, match=f"does not list it yet; the label {wrong}"):
        joining.take_step()
    assert len(world.runs) == 1

    world.host = ACTIVE
    assert joining.take_step() == ACTIVE
    assert wrong in caplog.text


def test_what_hangs_is_cut_off_and_told(world, memory, monkeypatch):
    def hang(*_: object) -> None:
        while True:
            pass

    monkeypatch.setattr(join, "GRACE_S", 0.05)
    monkeypatch.setattr(Rancher, "find_host", hang)

    with pytest.raises(DeadlineError, match="joining default took longer than 0 s"):
        join.join(replace(config(), deadline_s=0), memory)
    assert len(world.told) == 1
