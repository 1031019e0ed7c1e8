"""How long a call to AWS may take as a whole, with all its tries, to the last byte of its answer.

boto3 itself only limits the silence between two bytes.
"""

import time
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final

import boto3

from corral.clients.threads import within
from corral.errors import AwsUnavailableError

CALL_S: Final = 120.0
"""More than any answer takes, the longest wait of SQS (20 s) and some tries included."""

_until: ContextVar[float] = ContextVar("until", default=float("inf"))
"""When the call of this thread is over, by the monotonic clock."""


class _OverError(Exception):
    """Nobody waits for this call any more: it must not be tried again."""


def limited(session: boto3.Session) -> boto3.Session:
    """Give each call of the clients that this session makes from now on a limit, and return it.

    Source: boto3 documentation, "Extensibility guide": `creating-client-class`.
    """
    # First, so that nothing but operations is in the class.
    session.events.register_first("creating-client-class", _limit_operations)
    session.events.register("before-send", _hold_back)
    return session


def _limit_operations(class_attributes: MutableMapping[str, Any], **_: object) -> None:
    for name, value in class_attributes.items():
        if callable(value):
            class_attributes[name] = _limited(value)


def _limited(operation: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(operation)
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as boto3 has it
        def work() -> Any:  # noqa: ANN401 - as boto3 has it
            _until.set(time.monotonic() + CALL_S)
            return operation(*args, **kwargs)

        try:
            return within(CALL_S, work)
        except TimeoutError as error:
            raise AwsUnavailableError(
                operation.__name__, "Late", f"the whole answer takes longer than {CALL_S:.0f} s"
            ) from error

    return call


def _hold_back(**_: object) -> None:
    if time.monotonic() > _until.get():
        raise _OverError
