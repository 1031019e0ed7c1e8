"""Takes one host out of Rancher, step by step; whoever died half-way is finished by the next.

What the next step is, `domain.steps` decides; whether the host may go at all, the caller does. A
removal that is called off half-way leaves the host in service, as it was.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from corral.clients.rancher.keys import Patience
from corral.domain.hosts import Host
from corral.domain.steps import REMOVING, Move, next_move
from corral.errors import (
    RancherConflictError,
    RancherError,
    RancherGoneError,
    RancherUnreachableError,
)

log = logging.getLogger(__name__)

TRIES: Final = 3
"""How many writes may end without an answer before one host's removal is given up for this run."""
QUICKER: Final = 8
"""After a step the next look comes so many times sooner; most steps are done at once."""
ACTIVATE: Final = "activate"
ROOM_TO_UNDO_S: Final = 30.0
"""For so long at least a host is worked on that has to come back into service."""


class OutcomeKind(StrEnum):
    """How the removal of a host ended, as far as one run is concerned."""

    REMOVED = "removed"
    CANCELLED = "cancelled"
    UNDER_WAY = "under way"
    FAILED = "failed"
    OUT_OF_SERVICE = "out of service"
    """It stays, but could not be activated again after our own deactivation."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one host; `sentence` says it to people.

    `cause` is what has stopped this and every other removal alike, empty for what is its own.
    """

    host_id: str
    kind: OutcomeKind
    sentence: str
    cause: str = ""


class RemovingRancher(Protocol):
    """What a removal asks of Rancher."""

    def host(self, project_id: str, host_id: str) -> Host | None:
        """Return one host by its id, removed ones too; None if Rancher has no such row."""

    def act_on_host(self, project_id: str, host_id: str, action: str) -> None:
        """Have one action done to a host."""

    def is_busy(self, project_id: str, host_id: str) -> bool:
        """Say whether containers of users still run on a host."""


def object_to_nothing(_: Host) -> str:
    """Let any host go."""
    return ""


def say_nothing(_move: Move, _host: Host) -> None:
    """Take a report of a step and keep it to oneself."""


def remove_host(
    rancher: RemovingRancher,
    host: Host,
    *,
    drain: bool,
    patience: Patience,
    object_to: Callable[[Host], str] = object_to_nothing,
    on_move: Callable[[Move, Host], None] = say_nothing,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Take the steps that are left until a host is gone; what Rancher answers never raises.

    Args:
        rancher: Where the host is.
        host: As it was judged; it is read again before anything is done.
        drain: Whether its containers are to move elsewhere first.
        patience: How long this run works on the host, and the pause between two looks.
        object_to: Asked right before each step that changes anything, with the host as it is now
            but for the state that our own steps brought it into. A clause cancels the removal, and
            what it has deactivated is activated again; "" lets it go on.
        on_move: Told each step that changes something, before it is taken.
        sleep: For tests, and for who has something to do meanwhile; seconds.
        clock: For tests; seconds.
    """
    work = _Work(rancher, host, drain, object_to, on_move, clock)
    interval = patience.interval.total_seconds()
    until = clock() + patience.deadline.total_seconds()
    pause = interval
    while True:
        moves = work.moves
        outcome = work.look_and_act()
        if outcome is not None:
            return outcome
        if work.objection:
            until = max(until, work.called_off_at + ROOM_TO_UNDO_S)
        pause = interval / QUICKER if work.moves > moves else min(2 * pause, interval)
        if clock() + pause > until:
            return work.unfinished(patience)
        sleep(pause)


@dataclass(slots=True)
class _Work:
    """The removal of one host: what was seen last, and what was done so far."""

    rancher: RemovingRancher
    host: Host
    drain: bool
    object_to: Callable[[Host], str]
    on_move: Callable[[Move, Host], None]
    clock: Callable[[], float]
    moves: int = 0
    is_evacuating: bool = False
    is_deactivated: bool = False
    """Whether it was in service before our steps."""
    unanswered: int = 0
    untouched: Host | None = None
    """The host right before our first step."""
    objection: str = ""
    """Why the host has to come back into service."""
    called_off_at: float = 0.0

    def look_and_act(self) -> Outcome | None:
        """Read the host and take its next step; None if that was not the last one."""
        try:
            return self._look_and_act()
        except RancherConflictError:
            # It changed between the look and the step: the next look decides anew.
            return None
        except RancherGoneError:
            return self._end(OutcomeKind.REMOVED, "is gone")
        except RancherError as error:
            if self.objection:
                return self._left_out(str(error))
            return self._end(OutcomeKind.FAILED, f"could not be removed: {error}")

    def unfinished(self, patience: Patience) -> Outcome:
        """Return the outcome of a host that takes longer than this run has."""
        if self.objection:
            return self._left_out(f"it is {self.host.state} after {ROOM_TO_UNDO_S:.0f} s")
        waited = patience.deadline.total_seconds()
        return self._end(
            OutcomeKind.UNDER_WAY,
            f"is {self.host.state} after {waited:.0f} s of work on it: the next run goes on",
        )

    def _look_and_act(self) -> Outcome | None:
        found = self.rancher.host(self.host.project_id, self.host.id)
        if found is None:
            return self._end(OutcomeKind.REMOVED, "is gone")
        self.host = found
        move = self._next_move()
        if move in (Move.GONE, Move.PURGE):
            return self._purge(move)
        if self.objection:
            return self._undo()
        if move is Move.WAIT and not self._may_call_off():
            return None
        if objection := self._objection():
            return self._call_off(objection)
        if move is not Move.WAIT:
            self._act(move)
        return None

    def _may_call_off(self) -> bool:
        """Say whether a host that is waited for was taken out of service by us, and no more."""
        return self.is_deactivated and self.host.state != REMOVING

    def _call_off(self, objection: str) -> Outcome | None:
        """Let a host stay; one that we have deactivated is to be activated again first."""
        if not self.is_deactivated:
            return self._end(OutcomeKind.CANCELLED, f"stays: {objection}")
        self.objection, self.called_off_at, self.unanswered = objection, self.clock(), 0
        return self._undo()

    def _undo(self) -> Outcome | None:
        """Take the next step back into service; None if that was not the last one."""
        if Move.DEACTIVATE in self.host.actions:
            said = f"stays, and is in service as before: {self.objection}"
            return self._end(OutcomeKind.CANCELLED, said)
        if ACTIVATE in self.host.actions:
            log.info("host %s: activate, since its removal is called off", self.host.id)
            self._take(ACTIVATE)
        return None

    def _left_out(self, why: str) -> Outcome:
        said = f"stays, but out of service: {self.objection}; it could not be activated again"
        return self._end(
            OutcomeKind.OUT_OF_SERVICE, f"{said} ({why}): activate it in Rancher by hand"
        )

    def _objection(self) -> str:
        """Return what speaks against going on; that a step of ours has worked does not."""
        if self.untouched is None or self.moves == 0:
            self.untouched = self.host
        before = self.untouched
        return self.object_to(replace(self.host, state=before.state, actions=before.actions))

    def _next_move(self) -> Move:
        host = self.host
        asks = self.drain and Move.REMOVE in host.actions
        return next_move(
            host.state,
            host.actions,
            removed=host.is_removed,
            drain=self.drain,
            is_busy=asks and self.rancher.is_busy(host.project_id, host.id),
            is_evacuating=self.is_evacuating,
        )

    def _act(self, move: Move) -> None:
        """Have Rancher take a step of the removal."""
        self.on_move(move, self.host)
        was_in_service = Move.DEACTIVATE in self.host.actions
        if self._take(move):
            self.is_evacuating |= move is Move.EVACUATE
        self.is_deactivated |= was_in_service

    def _take(self, action: str) -> bool:
        """Have Rancher do something; say whether it has answered.

        Whether an unanswered step was taken, the next look shows.
        """
        try:
            self.rancher.act_on_host(self.host.project_id, self.host.id, action)
        except RancherUnreachableError:
            self.unanswered += 1
            if self.unanswered >= TRIES:
                raise
            self.moves += 1
            return False
        self.moves += 1
        return True

    def _purge(self, move: Move) -> Outcome:
        """Have the row of a removed host cleared away; Rancher does it itself some minutes later.

        Source: cattle, PurgeMonitorImpl.java.
        """
        outcome = self._end(OutcomeKind.REMOVED, "is removed")
        if move is Move.PURGE:
            self.on_move(move, self.host)
            with suppress(RancherError):
                self.rancher.act_on_host(self.host.project_id, self.host.id, move)
        return outcome

    def _end(self, kind: OutcomeKind, said: str) -> Outcome:
        return Outcome(self.host.id, kind, f"host {self.host.id} {said}")
