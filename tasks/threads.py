"""Threads that nobody has to wait for: one that hangs does not keep the process from ending."""

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def start(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
    """Do some work in a thread of its own, in the context of this one: its log lines belong to it.

    The threads of an executor are waited for when the process ends, however long they hang.
    """
    future: Future[T] = Future()
    context = copy_context()

    def run() -> None:
        try:
            future.set_result(context.run(work, *args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - whoever wants the result gets it
            future.set_exception(error)

    Thread(target=run, name=getattr(work, "__name__", "work"), daemon=True).start()
    return future
