import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from corral.clients.process import (
    DeadlineError,
    Engines,
    Order,
    TerminatedError,
    engines_end_with_us,
)
from corral.errors import TerraformError
from tests.engine.stub_engine import StubEngine, soon


@pytest.fixture
def make_order(tmp_path: Path) -> Callable[..., Order]:
    def make(engine: StubEngine, deadline_s: float = 20) -> Order:
        return Order(
            name="terraform",
            argv=[str(engine.path), "apply"],
            folder=tmp_path,
            environment=dict(os.environ),
            stdout=tmp_path / "apply.out",
            stderr=tmp_path / "apply.err",
            deadline=timedelta(seconds=deadline_s),
            fault=TerraformError,
        )

    return make


def holding(tmp_path: Path, **step: Any) -> StubEngine:
    return StubEngine(tmp_path / "engine", apply={"stdout": "begun\n", "hold_s": 20, **step})


def ignore(_: str) -> None: ...


def test_every_line_is_passed_on_once_and_in_order(tmp_path, make_order):
    engine = StubEngine(tmp_path / "engine", apply={"stdout": "one\ntwo\nhalf", "code": 3})
    heard: list[str] = []

    code = Engines().run(make_order(engine), heard.append)

    assert code == 3
    assert heard == ["one", "two", "half"]


def test_a_line_is_passed_on_while_the_engine_runs(tmp_path, make_order):
    engine = holding(tmp_path)
    finished_when_heard: list[int] = []

    def hear(_: str) -> None:
        finished_when_heard.append(len(engine.happened("unlocked")))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Engines().run(make_order(engine), hear)

    assert finished_when_heard == [0]


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit, ValueError])
def test_whatever_ends_the_wait_interrupts_once_and_waits_for_the_unlock(
    tmp_path, make_order, raised
):
    engine = holding(tmp_path, unlock_s=0.1)

    def hear(_: str) -> None:
        soon(lambda: engine.happened("holds"))
        raise raised

    with pytest.raises(raised):
        Engines().run(make_order(engine), hear)

    assert len(engine.happened("SIGINT")) == 1
    assert len(engine.happened("unlocked")) == 1


def test_the_deadline_interrupts_and_waits_for_the_unlock(tmp_path, make_order):
    engine = holding(tmp_path, unlock_s=0.1)

    with pytest.raises(DeadlineError):
        Engines().run(make_order(engine, deadline_s=0.3), ignore)

    assert len(engine.happened("SIGINT")) == 1
    assert len(engine.happened("unlocked")) == 1


def test_an_engine_that_does_not_unlock_is_left_alone_not_killed(tmp_path, make_order, caplog):
    engine = holding(tmp_path, unlock_s=0.4)
    engines = Engines()

    def run() -> None:
        with pytest.raises(TerraformError):
            engines.run(make_order(engine), ignore)

    thread = threading.Thread(target=run)
    thread.start()
    soon(lambda: engine.happened("holds"))
    engines.close(grace=timedelta(seconds=0.1))

    assert "goes on by itself" in caplog.text
    assert engine.happened("unlocked") == []
    thread.join()
    assert len(engine.happened("unlocked")) == 1


def test_closing_ends_the_engines_of_all_threads_and_lets_no_new_one_start(tmp_path, make_order):
    engine = holding(tmp_path, unlock_s=0.1)
    engines = Engines()
    errors: list[str] = []

    def run() -> None:
        try:
            engines.run(make_order(engine), ignore)
        except TerraformError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    soon(lambda: len(engine.happened("holds")) == 2)
    engines.close()
    late = threading.Thread(target=run)
    late.start()

    assert len(engine.happened("unlocked")) == 2
    for thread in [*threads, late]:
        thread.join()
    assert sorted(errors) == [
        "apply was interrupted, since the run is being stopped",
        "apply was interrupted, since the run is being stopped",
        "apply was not started: the run is being stopped",
    ]


def test_the_main_thread_may_begin_another_run_after_one_was_stopped(tmp_path, make_order):
    engine = StubEngine(tmp_path / "engine", apply={"code": 0})
    engines = Engines()
    engines.close()

    assert engines.run(make_order(engine), ignore) == 0


def test_an_engine_has_a_session_of_its_own(tmp_path, make_order):
    engine = StubEngine(tmp_path / "engine", apply={"hold_s": 20})

    def run() -> None:
        with pytest.raises(TerraformError):
            engines.run(make_order(engine), ignore)

    engines = Engines()
    thread = threading.Thread(target=run)
    thread.start()
    soon(lambda: engine.happened("holds"))

    assert os.getsid(engine.happened("holds")[0].pid) != os.getsid(0)
    engines.close()
    thread.join()


def test_a_handler_that_is_there_is_left_in_place():
    def theirs(*_: object) -> None: ...

    before = signal.signal(signal.SIGTERM, theirs)
    try:
        with engines_end_with_us():
            assert signal.getsignal(signal.SIGTERM) is theirs
    finally:
        signal.signal(signal.SIGTERM, before)


def test_where_nobody_handles_sigterm_it_is_raised_and_afterwards_nobody_handles_it_again():
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(TerminatedError) as caught, engines_end_with_us():
            os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)

    assert caught.value.code == 128 + signal.SIGTERM
