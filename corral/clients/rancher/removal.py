"""Takes one host out of Rancher, step by step; whoever died half-way is finished by the next.

What the next step is, `domain.steps` decides; whether the host may go at all, the caller does.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from corral.clients.rancher.keys import Patience
from corral.domain.hosts import Host
from corral.domain.steps import Move, next_move
from corral.errors import (
    RancherConflictError,
    RancherError,
    RancherGoneError,
    RancherUnreachableError,
)

TRIES: Final = 3
"""How many writes may end without an answer before one host's removal is given up for this run."""
QUICKER: Final = 8
"""After a step the next look comes so many times sooner; most steps are done at once."""


class OutcomeKind(StrEnum):
    """How the removal of a host ended, as far as one run is concerned."""

    REMOVED = "removed"
    CANCELLED = "cancelled"
    UNDER_WAY = "under way"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one host; `sentence` says it to people."""

    host_id: str
    kind: OutcomeKind
    sentence: str


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
            but for the state that our own steps brought it into; a sentence cancels the removal,
            "" lets it go on.
        on_move: Told each step that changes something, before it is taken.
        sleep: For tests, and for who has something to do meanwhile; seconds.
        clock: For tests; seconds.
    """
    work = _Work(rancher, host, drain, object_to, on_move)
    interval = patience.interval.total_seconds()
    until = clock() + patience.deadline.total_seconds()
    pause = interval
    while True:
        moves = work.moves
        outcome = work.look_and_act()
        if outcome is not None:
            return outcome
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
    moves: int = 0
    is_evacuating: bool = False
    unanswered: int = 0
    untouched: Host | None = None
    """The host right before our first step."""

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
            return self._end(OutcomeKind.FAILED, f"could not be removed: {error}")

    def unfinished(self, patience: Patience) -> Outcome:
        """Return the outcome of a host that takes longer than this run has."""
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
        if move is Move.WAIT:
            return None
        if objection := self._objection():
            stays = "stays, deactivated" if self.moves else "stays"
            return self._end(OutcomeKind.CANCELLED, f"{stays}: {objection}")
        self._act(move)
        return None

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
        """Have Rancher take a step; whether an unanswered one was taken, the next look shows."""
        self.on_move(move, self.host)
        try:
            self.rancher.act_on_host(self.host.project_id, self.host.id, move)
        except RancherUnreachableError:
            self.unanswered += 1
            if self.unanswered >= TRIES:
                raise
        else:
            self.is_evacuating |= move is Move.EVACUATE
        self.moves += 1

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
