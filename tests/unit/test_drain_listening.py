"""Queues, loans and threads of a drain: nothing is lost, whoever stops or dies when."""

import json
import logging
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from threading import Event

import pytest

from corral.errors import AccessDeniedError, AwsUnavailableError, RancherUnreachableError
from tasks.draining import Fate
from tasks.listening import Heard, Listening, Loans, Source, stoppable_pause
from tests.unit.drain_doubles import (
    DRAIN_TIME,
    MACHINE,
    OTHER,
    POOL,
    KilledError,
    Queue,
    World,
    draining,
    killed_at,
    spot_warning,
    termination,
)

FOREIGN = json.dumps({"Event": "autoscaling:TEST_NOTIFICATION"})
BEATS_S = 20.0


@pytest.fixture
def world() -> World:
    world = World()
    world.run()
    world.add()
    world.end()
    return world


def listening(world: World, stop: Event | None = None, *, workers: int = 4) -> Listening:
    """Listens with a clock of its own, so that a time to listen passes without waiting."""
    ticks = count()
    return Listening(
        draining(world),
        Loans(world, BEATS_S),
        workers=workers,
        stop=stop or Event(),
        clock=lambda: float(next(ticks)),
    )


def source(queue: Queue, pool: str = POOL) -> Source:
    return Source(pool, queue, DRAIN_TIME)


def fates(heard: Heard) -> list[Fate]:
    return [handled.fate for handled in heard.handled]


def test_a_message_is_deleted_only_when_everything_else_is_done(world: World):
    queue = Queue(world, termination())

    heard = listening(world).listen([source(queue)], 0)

    assert world.calls[-3:] == ["purge 1h1", f"complete {MACHINE}", "delete"]
    assert fates(heard) == [Fate.DRAINED]
    assert queue.bodies == []


def test_a_message_whose_work_failed_is_left_and_comes_again(world: World):
    queue = Queue(world, termination())

    def fail(name: str) -> None:
        if name == "herd":
            raise RancherUnreachableError("GET hosts: 503", status=503)

    world.before_call = fail
    failed = listening(world).listen([source(queue)], 0)
    world.before_call = lambda _: None
    too_early = listening(world).listen([source(queue)], 0)
    world.pause(60)
    again = listening(world).listen([source(queue)], 0)

    assert [fates(each) for each in (failed, too_early, again)] == [[Fate.LEFT], [], [Fate.DRAINED]]
    assert queue.bodies == []


def test_foreign_messages_are_deleted_with_a_line(world: World, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "corral")
    queue = Queue(world, FOREIGN)

    heard = listening(world).listen([source(queue)], 0)

    assert fates(heard) == [Fate.DROPPED]
    assert queue.bodies == []
    assert "web: A message was dropped: It is no event of a machine" in caplog.text


def test_all_pools_are_heard_in_one_run(world: World):
    world.run(OTHER, "10.0.0.2")
    world.add("1h2", OTHER, "10.0.0.2")
    world.end(OTHER, "t-2")
    queues = [Queue(world, termination()), Queue(world, termination(OTHER, ticket="t-2"))]

    heard = listening(world).listen([source(queues[0]), source(queues[1], "celery")], 0)

    assert [(each.pool, each.fate) for each in heard.handled] == [
        (POOL, Fate.DRAINED),
        ("celery", Fate.DRAINED),
    ]


def test_more_messages_than_one_answer_holds_are_all_worked_off(world: World):
    queue = Queue(world, *[termination()] * 3, *[FOREIGN] * 30)

    heard = listening(world, workers=2).listen([source(queue)], 0)

    assert len(heard.handled) == 33
    assert queue.bodies == []


def test_a_queue_that_does_not_answer_for_a_moment_costs_nothing(world: World, monkeypatch):
    monkeypatch.setattr("tasks.listening.AFTER_FAILURE_S", 0.01)
    queue = Queue(world, termination())
    queue.failures = [AwsUnavailableError("ReceiveMessage", "ServiceUnavailable", "later")] * 2

    heard = listening(world).listen([source(queue)], 100)

    assert fates(heard) == [Fate.DRAINED]
    assert heard.deaf == {}


def test_a_queue_that_may_not_be_heard_does_not_keep_the_others_from_being_heard(world: World):
    refusal = AccessDeniedError("sqs:ReceiveMessage", "no")
    closed, open_one = Queue(world, termination(OTHER)), Queue(world, termination())
    closed.failures = [refusal]

    heard = listening(world).listen([source(closed, "celery"), source(open_one)], 1000)

    assert heard.deaf == {"celery": refusal}
    assert fates(heard) == [Fate.DRAINED]
    assert len(closed.bodies) == 1


def test_every_death_between_two_calls_is_finished_by_the_next_run():
    total = _run_until_killed(10_000)

    for number in range(1, total + 1):
        _run_until_killed(number)


def _run_until_killed(number: int) -> int:
    """Kill a run at one of its calls, have another finish, and return how many the first made."""
    world = World()
    world.run()
    world.add()
    world.end()
    world.containers["1h1"] = 2
    queue = Queue(world, termination())
    with killed_at(world, number) as names:
        _ignore_death(world, queue)
    world.pause(60)
    listening(world).listen([source(queue)], 0)

    assert world.rows["1h1"].state in ("removed", "purged"), names
    assert world.waiting == set(), names
    assert queue.bodies == [], names
    return len(names)


def _ignore_death(world: World, queue: Queue) -> None:
    with suppress(KilledError):
        for message in queue.receive(1):
            listening(world).work_off(source(queue), message)


def test_two_runs_that_got_the_same_message_do_no_harm(world: World):
    queue = Queue(world, termination())
    first, second = listening(world), listening(world)
    (message,) = queue.receive(1)

    handled = [run.work_off(source(queue), message) for run in (first, second)]

    assert [each.fate for each in handled] == [Fate.DRAINED, Fate.DRAINED]
    assert world.calls.count("remove 1h1") == 1


def test_termination_and_spot_warning_may_come_in_any_order(world: World):
    queue = Queue(world, termination(), spot_warning())

    heard = listening(world, workers=1).listen([source(queue)], 0)

    assert fates(heard) == [Fate.DRAINED, Fate.DROPPED]
    assert world.rows["1h1"].state == "purged"


def test_while_work_takes_long_message_and_machine_get_signs_of_life(world: World):
    queue = Queue(world, termination())
    (message,) = queue.receive(1)
    loans, drain = Loans(world, BEATS_S), draining(world)

    with loans.hold(queue, message, drain.read(message.body)):
        loans.beat()
        loans.beat()
    loans.beat()

    assert world.calls == ["extend 60", f"heartbeat {MACHINE}"] * 2


def test_a_sign_of_life_that_is_not_taken_stops_nothing(
    world: World, caplog: pytest.LogCaptureFixture
):
    queue = Queue(world, termination())
    (message,) = queue.receive(1)
    loans = Loans(world, BEATS_S)

    def fail(_: str) -> None:
        raise AwsUnavailableError("ChangeMessageVisibility", "Throttling", "slow down")

    world.before_call = fail
    with loans.hold(queue, message, draining(world).read(message.body)):
        loans.beat()

    assert "a sign of life was not taken" in caplog.text


def test_short_beats_do_not_make_short_loans(world: World):
    assert Loans(world, 0.5).loan_s == 10


def test_a_run_that_is_told_to_stop_gives_back_what_it_holds_at_once():
    world, stop = World(), Event()
    world.run()
    world.add()
    world.end()
    world.containers["1h1"] = 10_000
    queue = Queue(world, termination())
    drain = replace(draining(world), pause=stoppable_pause(stop), clock=time.monotonic)
    run = Listening(drain, Loans(world, 0.05), workers=1, stop=stop)
    threading.Timer(0.3, stop.set).start()
    begun = time.monotonic()

    heard = run.listen([source(queue)], 3600)

    assert time.monotonic() - begun < 2
    assert set(fates(heard)) == {Fate.LEFT}
    assert heard.handled[0].sentence == (
        f"{MACHINE} is left for another try: the run was told to stop."
    )
    assert {"extend 10", f"heartbeat {MACHINE}"} <= set(world.calls)
    assert world.calls[-1] == "extend 0"
    assert len(queue.receive(1)) == 1


def test_a_signal_in_the_midst_of_listening_ends_it_and_gets_through(world: World, monkeypatch):
    stop = Event()
    world.containers["1h1"] = 10_000
    queue = Queue(world, termination())
    drain = replace(draining(world), pause=stoppable_pause(stop))
    run = Listening(drain, Loans(world, 60), workers=1, stop=stop)

    def interrupt(*_: object, **__: object) -> None:
        while "evacuate 1h1" not in world.calls:
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr("tasks.listening._await", interrupt)

    with pytest.raises(KeyboardInterrupt):
        run.listen([source(queue)], 3600)

    assert world.calls[-1] == "extend 0"


def test_a_pause_that_nobody_stops_takes_its_time():
    begun = time.monotonic()

    stoppable_pause(Event())(0.05)

    assert time.monotonic() - begun >= 0.05


def test_a_message_that_cannot_be_deleted_comes_again_and_finds_its_work_done(world: World):
    queue = Queue(world, termination())

    def fail(name: str) -> None:
        if name == "delete":
            raise AwsUnavailableError("DeleteMessage", "ServiceUnavailable", "later")

    world.before_call = fail
    heard = listening(world).listen([source(queue)], 0)
    world.before_call = lambda _: None
    world.pause(timedelta(minutes=1).total_seconds())
    again = listening(world).listen([source(queue)], 0)

    assert fates(heard) == fates(again) == [Fate.DRAINED]
    assert queue.bodies == []
