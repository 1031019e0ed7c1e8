"""A limit of time for a call that brings none of its own.

A time-out of a connection starts anew with each byte, so an answer that trickles outlasts it.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import TypeVar

Result = TypeVar("Result")


def within(limit_s: float, call: Callable[[], Result]) -> Result:
    """Return what a call returns, or raise what it raises.

    It runs in a thread of its own. One that is late is left behind: nobody waits for it, and it
    does not keep the process from ending.

    Raises:
        TimeoutError: It took longer.
    """
    end: Future[Result] = Future()

    def run() -> None:
        try:
            end.set_result(call())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
            end.set_exception(error)

    threading.Thread(target=copy_context().run, args=[run], daemon=True).start()
    return end.result(limit_s)
