"""Threads that nobody has to wait for: one that hangs does not keep the process from ending.

The threads of an executor are waited for when the process ends, however long they hang.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
Item = TypeVar("Item")
Result = TypeVar("Result")


def start(work: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Future[Result]:
    """Do some work in a thread of its own, in the context of this one: its log lines belong to it.

    Returns:
        What will have its result, or whatever it raises.
    """
    end: Future[Result] = Future()
    context = copy_context()

    def run() -> None:
        try:
            end.set_result(context.run(work, *args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - whoever wants the result gets it
            end.set_exception(error)

    Thread(target=run, name=getattr(work, "__name__", "work"), daemon=True).start()
    return end


def within(limit_s: float, call: Callable[[], Result]) -> Result:
    """Return what a call returns, or raise what it raises, if it ends in time.

    For calls that bring no limit of their own: a time-out of a connection starts anew with each
    byte, so an answer that trickles outlasts it. A call that is late is left behind.

    Raises:
        TimeoutError: It took longer.
    """
    return start(call).result(limit_s)


def side_by_side(
    work: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> tuple[Result, ...]:
    """Do some work for each item, on so many at once, and return the results in the items' order.

    Whoever is interrupted meanwhile leaves behind what is under way, and nothing more is begun.
    """
    waiting = deque(enumerate(items))
    results: dict[int, Result] = {}

    def run() -> None:
        while waiting:
            try:
                number, item = waiting.popleft()
            except IndexError:
                return
            results[number] = work(item)

    hands = [start(run) for _ in range(min(workers, len(items)))]
    try:
        for hand in hands:
            hand.result()
    finally:
        waiting.clear()
    return tuple(results[number] for number in range(len(items)))
