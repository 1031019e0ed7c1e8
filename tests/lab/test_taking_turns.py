"""Two runs never change one cluster at once: with a real server, and runs that are killed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Cancelled, Paused, Pending, Running

from tasks import connect
from tests.lab.changing_flow import changing_flow
from tests.lab.harness import Started, flow_command, wait_until
from tests.lab.prefect_alone import RUN_S, PrefectAlone

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs of this process give up after five seconds."""
    monkeypatch.setenv("CORRAL_TURN_DEADLINE_S", "5")
    connect.settings.cache_clear()
    yield
    connect.settings.cache_clear()


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    return tmp_path / "diary"


def call(diary: Path, **parameters: Any) -> State[None]:
    given = {"cluster": "lab", "diary": str(diary)} | parameters
    state: State[None] = changing_flow(**given, return_state=True)
    return state


def other_run(there: PrefectAlone, *states: State[Any], cluster: str = "lab") -> FlowRun:
    """Return a run of which nothing is known but its states."""
    with there.client() as client:
        parameters = {"cluster": cluster, "diary": ""}
        run = client.create_flow_run(changing_flow, parameters=parameters, state=Pending())
        for state in states:
            client.set_flow_run_state(run.id, state)
    return run


def end(there: PrefectAlone, run: FlowRun) -> None:
    with there.client() as client:
        client.set_flow_run_state(run.id, Cancelled(), force=True)


@contextmanager
def process_at_it(there: PrefectAlone, diary: Path) -> Iterator[Started]:
    """Run the flow in a process of its own, which has its turn until it is ended."""
    command = flow_command(
        "tests.lab.changing_flow.changing_flow",
        cluster="lab",
        diary=str(diary),
        until=str(diary.with_name("never")),
    )
    process = Started.start(command, there.environment, diary.with_suffix(".log"))
    try:
        wait_until(lambda: diary.exists() and diary.read_text(), RUN_S, "it has its turn")
        yield process
    finally:
        process.kill()


def test_of_two_runs_beside_each_other_the_second_waits_for_the_first(there, diary, monkeypatch):
    monkeypatch.setenv("CORRAL_TURN_DEADLINE_S", "60")
    connect.settings.cache_clear()
    ends: list[State[None]] = []
    release = diary.with_name("go")
    threads = [
        threading.Thread(
            target=copy_context().run,
            args=[lambda: ends.append(call(diary, until=str(release)))],
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    wait_until(lambda: diary.exists() and diary.read_text(), RUN_S, "one has its turn")
    release.touch()
    for thread in threads:
        thread.join()

    assert [end.name for end in ends] == ["Completed", "Completed"]
    assert diary.read_text().split() == ["begins", "ends"] * 2


def test_a_run_that_is_not_proven_dead_is_named_and_left_alone(there, diary):
    other = other_run(there, Running())

    refused = call(diary)

    assert refused.is_failed()
    assert f"The run {other.name} ({other.id}) is Running since" in (refused.message or "")
    assert not diary.exists()
    assert there.state(other).is_running()
    end(there, other)
    assert call(diary).is_completed()


def test_runs_of_other_clusters_and_runs_that_only_wait_to_begin_do_not_count(there, diary):
    others = [other_run(there, Running(), cluster="dev"), other_run(there)]

    assert call(diary).is_completed()
    for other in others:
        end(there, other)


def test_a_run_that_pauses_keeps_its_place(there, diary):
    paused = other_run(there, Running(), Paused(timeout_seconds=60))
    resumed = other_run(there, Running(), Paused(timeout_seconds=60), Running())

    refused = call(diary)

    assert refused.is_failed()
    for other, name in ((paused, "Paused"), (resumed, "Running")):
        assert f"({other.id}) is {name} since" in (refused.message or "")
        end(there, other)


def test_a_run_that_lives_in_another_process_is_waited_for(there, diary):
    with process_at_it(there, diary):
        refused = call(diary)

        assert refused.is_failed()
        assert "is Running since" in (refused.message or "")
    assert diary.read_text().split() == ["begins"]


def test_a_run_that_was_killed_keeps_nobody_waiting(there, diary):
    with process_at_it(there, diary) as process:
        process.kill()

        assert call(diary).is_completed()
    assert diary.read_text().split() == ["begins", "begins", "ends"]


def test_a_run_that_was_ended_meanwhile_does_not_take_its_turn(there, diary):
    other = other_run(there, Running())
    ends: list[State[None]] = []
    run = threading.Thread(target=copy_context().run, args=[lambda: ends.append(call(diary))])
    run.start()
    mine = wait_until(lambda: _waiting(there, other), RUN_S, "a run waits for its turn")
    end(there, mine)
    end(there, other)
    run.join()

    assert not diary.exists()


def _waiting(there: PrefectAlone, other: FlowRun) -> FlowRun | None:
    with there.client() as client:
        runs = client.read_flow_runs()
    at_it = (run for run in runs if run.state and run.state.is_running() and run.labels)
    return next((run for run in at_it if run.id != other.id and _is_traced(run)), None)


def _is_traced(run: FlowRun) -> bool:
    return any(label.startswith("corral.process.") for label in run.labels)
