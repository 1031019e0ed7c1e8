"""Queues, loans and threads of a drain: nothing is lost, whoever stops or dies when."""

import json
import logging
import threading
import time
from concurrent.futures import wait
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from threading import Event

import pytest

from corral.clients.aws import Message
from corral.errors import AccessDeniedError, AwsUnavailableError, RancherUnreachableError
from tasks.fates import Fate
from tasks.listening import Heard, Listening, Source, stoppable_pause
from tasks.loans import LONGEST_WORK_S, Loans
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
        wait(loans.beat())
        wait(loans.beat())
    wait(loans.beat())

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
        wait(loans.beat())

    assert "a sign of life was not taken" in caplog.text


def test_a_group_that_waits_for_a_short_time_hears_of_a_machine_until_its_message_comes_again(
    world: World,
):
    queue = Queue(world, termination())
    short = Source(POOL, queue, timedelta(seconds=30))

    def fail(name: str) -> None:
        if name == "herd":
            raise RancherUnreachableError("GET hosts: 503", status=503)

    world.before_call = fail
    (message,) = queue.receive(1)
    listening(world).work_off(short, message)

    assert world.calls == [f"heartbeat {MACHINE}", "extend 8"]


def test_the_news_of_a_spot_machine_is_kept_until_it_is_seen_whether_it_came_true(world: World):
    world.run(is_spot=True)
    queue = Queue(world, spot_warning())

    ends = [listening(world).listen([source(queue)], 0)]
    world.pause(301 - world.seconds)
    ends.append(listening(world).listen([source(queue)], 0))

    assert [fates(end) for end in ends] == [[Fate.EVACUATED], [Fate.RESTORED]]
    assert world.rows["1h1"].state == "active"
    assert queue.bodies == []


class SlowQueue(Queue):
    """A queue in which a sign of life takes until it is let go on."""

    def __init__(self, world: World, *bodies: str) -> None:
        super().__init__(world, *bodies)
        self.goes_on = Event()

    def extend(self, message: Message, seconds: float) -> None:
        self.goes_on.wait(20)
        super().extend(message, seconds)


def test_a_slow_sign_of_life_keeps_nobody_else_from_work_or_life(world: World, monkeypatch):
    monkeypatch.setattr("tasks.loans.ON_ITS_WAY_S", 0.05)
    slow, quick = SlowQueue(world, termination()), Queue(world, termination(OTHER))
    loans, drain, begun = Loans(world, BEATS_S), draining(world), time.monotonic()
    with ExitStack() as held:
        for queue in (slow, quick):
            (message,) = queue.receive(1)
            held.enter_context(loans.hold(queue, message, drain.read(message.body)))
        beats = loans.beat()
        wait([beats[1]], timeout=5)

        assert world.calls == ["extend 60", f"heartbeat {OTHER}"]
        assert not beats[0].done()
    assert time.monotonic() - begun < 5
    slow.goes_on.set()
    wait(beats)


def test_a_sign_of_life_that_is_on_its_way_never_comes_after_what_is_done_about_a_message(
    world: World,
):
    queue = SlowQueue(world, termination())
    (message,) = queue.receive(1)
    loans = Loans(world, BEATS_S)
    with loans.hold(queue, message, draining(world).read(message.body)):
        loans.beat()
        threading.Timer(0.1, queue.goes_on.set).start()
    queue.extend(message, 0)

    assert world.calls == ["extend 60", f"heartbeat {MACHINE}", "extend 0"]


def test_who_hangs_on_a_message_keeps_it_from_nobody_for_ever(world: World):
    queue = Queue(world, termination())
    (message,) = queue.receive(1)
    loans = Loans(world, BEATS_S, clock=lambda: world.seconds)
    with loans.hold(queue, message, draining(world).read(message.body)):
        world.seconds += LONGEST_WORK_S

        assert loans.beat() == []


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.listening.LONGEST_WORK_S", 0.3)
    monkeypatch.setattr("tasks.listening.STOP_S", 1.0)


@pytest.mark.usefixtures("_impatient")
def test_work_that_hangs_is_left_behind_and_the_run_ends(world: World):
    world.run(OTHER, "10.0.0.2")
    world.end(OTHER, "t-2")
    queue = Queue(world, termination(), termination(OTHER, ticket="t-2"))
    hung = Event()

    def hang(name: str) -> None:
        if name == "host":
            hung.wait(20)

    world.before_call = hang
    run = Listening(draining(world), Loans(world, BEATS_S), workers=4, stop=Event())
    begun = time.monotonic()

    heard = run.listen([source(queue)], 0)

    assert time.monotonic() - begun < 5
    assert fates(heard) == [Fate.LEFT, Fate.DRAINED]
    assert heard.handled[0].sentence == f"{MACHINE} is left for another try: its work hangs."
    assert queue.bodies == [termination()]
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "work_off")
    hung.set()


@pytest.mark.usefixtures("_impatient")
def test_a_queue_that_never_answers_is_left_behind_and_the_others_are_heard(world: World):
    silent, queue, hung = Queue(world), Queue(world, termination()), Event()
    silent.receive = lambda *_: [][: hung.wait(20)]
    run = Listening(draining(world), Loans(world, BEATS_S), workers=4, stop=Event())

    heard = run.listen([source(silent, "celery"), source(queue)], 0)

    assert fates(heard) == [Fate.DRAINED]
    assert "the queue never answered" in str(heard.deaf["celery"])
    hung.set()


@pytest.mark.usefixtures("_impatient")
def test_who_waits_for_a_turn_behind_work_that_hangs_gives_his_message_back(world: World):
    queue = Queue(world, termination(), termination())
    hung, stop = Event(), Event()
    world.before_call = lambda name: hung.wait(20) and None if name == "host" else None
    drain = replace(draining(world), pause=stoppable_pause(stop))
    run = Listening(drain, Loans(world, BEATS_S), workers=1, stop=stop)

    heard = run.listen([source(queue)], 0)

    assert sorted(handled.sentence.rpartition(": ")[2] for handled in heard.handled) == [
        "its work hangs.",
        "the run was told to stop.",
    ]
    hung.set()


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

    monkeypatch.setattr(run, "_await", interrupt)

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
