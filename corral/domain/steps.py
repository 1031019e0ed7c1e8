"""The one step that brings a host nearer to its end, whoever asks: scan, drain or the machine.

Only the standard library is used here: the program on the machines carries this very file.
"""

from collections.abc import Collection
from enum import StrEnum

# Rancher's row is there, but the host is gone. Source: cattle, SetRemovedFields.java.
ENDED_STATES = frozenset({"removed", "purging", "purged"})
REMOVING = "removing"


class Move(StrEnum):
    """What is to be done next with a host that shall go."""

    EVACUATE = "evacuate"
    DEACTIVATE = "deactivate"
    REMOVE = "remove"
    PURGE = "purge"
    WAIT = "wait"
    GONE = "gone"


def next_move(
    state: str,
    actions: Collection[str],
    *,
    removed: bool,
    drain: bool,
    is_busy: bool = False,
    is_evacuating: bool = False,
) -> Move:
    """Return the next legal step of a host that shall go.

    The actions that Rancher offers decide, not the state: v2-beta shows the agent's state for a
    host whose stored state is active, and offers actions by the stored one.

    Args:
        state: As Rancher shows it.
        actions: Names of the actions that Rancher offers at this moment.
        removed: Whether the row has a date of removal.
        drain: Whether the host's containers shall be moved away first.
        is_busy: Whether containers of users still run there; asked only when draining.
        is_evacuating: Whether somebody has asked for its evacuation already.

    Source: cattle v0.183.83, spring-process-context.xml: nothing that is active can be removed;
        evacuating deactivates by itself.
    """
    if removed or state in ENDED_STATES:
        return Move.PURGE if Move.PURGE in actions else Move.GONE
    if state == REMOVING:
        return Move.WAIT
    may_evacuate = drain and Move.EVACUATE in actions and not is_evacuating
    if Move.REMOVE in actions:
        return _end(is_kept=drain and is_busy, may_evacuate=may_evacuate)
    if Move.DEACTIVATE in actions:
        return _calm_down(is_kept=drain and is_evacuating, may_evacuate=may_evacuate)
    return Move.WAIT


def _end(*, is_kept: bool, may_evacuate: bool) -> Move:
    """Return the step of a host that may be removed, were it not for its containers."""
    if not is_kept:
        return Move.REMOVE
    return Move.EVACUATE if may_evacuate else Move.WAIT


def _calm_down(*, is_kept: bool, may_evacuate: bool) -> Move:
    """Return the step of a host that is active."""
    if may_evacuate:
        return Move.EVACUATE
    return Move.WAIT if is_kept else Move.DEACTIVATE
