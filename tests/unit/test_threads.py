"""Work in threads: its order, its limits, what an interruption leaves, who waits for what hangs."""

import subprocess
import sys
import threading
import time
from contextvars import ContextVar

import pytest

from corral.clients.threads import side_by_side, start, within

PATIENCE_S = 20
NAME = ContextVar("name", default="nobody")


def test_results_come_in_the_order_of_the_items_whoever_ends_first():
    def work(seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    assert side_by_side(work, [0.05, 0.0, 0.02], 3) == (0.05, 0.0, 0.02)


def test_no_items_are_no_work():
    assert side_by_side(int, [], 3) == ()


@pytest.mark.parametrize(("items", "workers", "at_once"), [(6, 3, 3), (2, 8, 2)])
def test_only_so_many_are_worked_on_at_once(items: int, workers: int, at_once: int):
    # Each one waits until all others that are allowed are there: with fewer it would break.
    meeting = threading.Barrier(at_once, timeout=PATIENCE_S)
    most, under_way, lock = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal most, under_way
        with lock:
            under_way += 1
            most = max(most, under_way)
        meeting.wait()
        with lock:
            under_way -= 1

    side_by_side(work, range(items), workers)

    assert most == at_once


def test_after_a_failure_nothing_more_is_begun():
    begun = []

    def work(item: int) -> None:
        begun.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match="0"):
        side_by_side(work, range(9), 1)
    assert begun == [0]


def test_what_hangs_is_left_behind_after_its_time():
    never = threading.Event()

    with pytest.raises(TimeoutError):
        within(0.05, never.wait)
    never.set()


def test_what_a_call_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        within(PATIENCE_S, lambda: 1 // 0)


def test_a_thread_works_in_the_context_of_whoever_started_it():
    token = NAME.set("somebody")
    try:
        assert start(NAME.get).result(PATIENCE_S) == "somebody"
    finally:
        NAME.reset(token)


def test_a_process_ends_although_a_thread_hangs():
    code = (
        "import threading; from corral.clients.threads import start; start(threading.Event().wait)"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE_S)
