"""How lists and spans are said to people."""

from collections.abc import Sequence
from datetime import timedelta

MOST_NAMED = 5
ONE_MINUTE_S = 60


def named(names: Sequence[str]) -> str:
    """Name things, as many as a person reads: `1h1, 1h2 and 7 more`."""
    rest = len(names) - MOST_NAMED
    listed = ", ".join(names[:MOST_NAMED])
    return f"{listed} and {rest} more" if rest > 0 else listed


def span(length: timedelta) -> str:
    """Say a length of time in the unit that a person would take."""
    seconds = length.total_seconds()
    return f"{seconds / 60:g} minutes" if seconds >= ONE_MINUTE_S else f"{seconds:g} seconds"
