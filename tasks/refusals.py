"""What a run that could not read the world tells people: an error of ours as a problem."""

from corral.domain.alerts import Problem
from corral.errors import CorralError

ACCESS_KINDS = frozenset({"credentials", "account", "region", "unreachable", "answer", "set-up"})
"""Kinds of the problems made here; a run that has read everything has settled them all."""


def problem_of(error: CorralError) -> Problem:
    """Return the problem that an error of reading is, with a key that is the same in every run."""
    raise NotImplementedError
