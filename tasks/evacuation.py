"""Sends the containers of a living host away and lets it take no new ones; the host itself stays.

For machines that AWS is about to take back: they have two minutes, and may still be spared. Then
the host is put back into service.
"""

import logging
from collections.abc import Callable

from corral.clients.rancher import Patience
from corral.clients.rancher.removal import RemovingRancher
from corral.domain.herd.matching import is_going
from corral.domain.hosts import Host
from corral.domain.steps import Move, next_move
from corral.errors import RancherConflictError, RancherGoneError

ACTIVATE = "activate"

log = logging.getLogger(f"corral.{__name__}")


def evacuate_host(
    rancher: RemovingRancher,
    host: Host,
    *,
    can_move: bool,
    patience: Patience,
    pause: Callable[[float], None],
    clock: Callable[[], float],
) -> str:
    """Return why a host still takes containers; "" once it takes none, or is gone.

    That those it had are gone is not waited for: more than asking them to leave nobody can do.

    Args:
        rancher: Where the host is.
        host: Read again before anything is done.
        can_move: Whether its agent can be asked to end containers.
        patience: How long the host may take to calm down, and the pause between two looks.
        pause: Seconds.
        clock: Seconds, ever growing.

    """
    deadline = clock() + patience.deadline.total_seconds()
    is_evacuating = False
    while (fresh := rancher.host(host.project_id, host.id)) is not None:
        move = _next_move(rancher, fresh, can_move=can_move, is_evacuating=is_evacuating)
        if move in (Move.EVACUATE, Move.DEACTIVATE):
            is_evacuating = _ask(rancher, fresh, move) and move is Move.EVACUATE
        elif Move.DEACTIVATE not in fresh.actions:
            return ""
        if clock() > deadline:
            return f"host {host.id} still takes containers, it is {fresh.state}"
        pause(patience.interval.total_seconds())
    return ""


def restore_host(
    rancher: RemovingRancher,
    host: Host,
    *,
    patience: Patience,
    pause: Callable[[float], None],
    clock: Callable[[], float],
) -> str:
    """Return why a host is still out of service; "" once it takes containers again, or goes.

    Args:
        rancher: Where the host is.
        host: Read again before anything is done.
        patience: How long the host may take, and the pause between two looks.
        pause: Seconds.
        clock: Seconds, ever growing.

    """
    deadline = clock() + patience.deadline.total_seconds()
    while (fresh := rancher.host(host.project_id, host.id)) is not None and not is_going(fresh):
        if Move.DEACTIVATE in fresh.actions:
            return ""
        if ACTIVATE in fresh.actions:
            _ask(rancher, fresh, ACTIVATE)
        if clock() > deadline:
            return f"host {host.id} is still out of service, it is {fresh.state}"
        pause(patience.interval.total_seconds())
    return ""


def _next_move(
    rancher: RemovingRancher, host: Host, *, can_move: bool, is_evacuating: bool
) -> Move:
    """Return the step by which a removal would begin: the first ones do not end the host."""
    return next_move(
        host.state,
        host.actions,
        removed=host.is_removed,
        drain=can_move,
        is_busy=can_move and rancher.is_busy(host.project_id, host.id),
        is_evacuating=is_evacuating,
    )


def _ask(rancher: RemovingRancher, host: Host, move: str) -> bool:
    """Ask for a step, and say whether it was taken; a no is for the next look to understand."""
    log.info("host %s (%s): %s", host.id, host.instance_id, move)
    try:
        rancher.act_on_host(host.project_id, host.id, move)
    except (RancherConflictError, RancherGoneError) as error:
        log.info("host %s: %s", host.id, error)
        return False
    return True
