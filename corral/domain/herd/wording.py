"""How lists and spans are said to people."""

from collections.abc import Sequence
from datetime import timedelta

MOST_NAMED = 5
MOST_QUOTED = 40
ONE_MINUTE_S = 60


def named(names: Sequence[str]) -> str:
    """Name things, as many as a person reads: `1h1, 1h2 and 7 more`."""
    rest = len(names) - MOST_NAMED
    listed = ", ".join(names[:MOST_NAMED])
    return f"{listed} and {rest} more" if rest > 0 else listed


def quoted(said: str) -> str:
    """Quote what a stranger has written, as far as a person needs it."""
    return repr(shortened(said))


def shortened(said: str) -> str:
    """Return the beginning of what a stranger has written."""
    sound = said[: MOST_QUOTED + 1].encode(errors="replace").decode()
    return sound if len(sound) <= MOST_QUOTED else f"{sound[: MOST_QUOTED - 3]}..."


def span(length: timedelta) -> str:
    """Say a length of time in the unit that a person would take."""
    seconds = length.total_seconds()
    return f"{seconds / 60:g} minutes" if seconds >= ONE_MINUTE_S else f"{seconds:g} seconds"
