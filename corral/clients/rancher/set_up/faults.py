"""Faults of a cluster file that only Rancher knows of: one sentence each, all of them at once."""

from collections.abc import Callable, Sequence

from corral.errors import (
    AccessDeniedError,
    AmbiguousError,
    GateTimeoutError,
    PrerequisiteError,
)

FAULTS = (AccessDeniedError, AmbiguousError, GateTimeoutError, PrerequisiteError)


def told(look: Callable[[], Sequence[str]]) -> Sequence[str]:
    """Return what a look found; where it found out by an error of the wish, that error's words."""
    try:
        return look()
    except FAULTS as error:
        return [" ".join(str(error).split())]
