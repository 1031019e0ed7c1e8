"""Takes all hosts of a pool out of Rancher while their machines still live, since the pool ends.

It knows neither Prefect nor how a client is made. Hosts are closed before the first is drained, so
that no container moves to one that goes next. Who died half-way is gone on with by the next: what
is left in Rancher is all that has to be known.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from corral.clients.rancher import Patience
from corral.clients.rancher.removal import Outcome, OutcomeKind, RemovingRancher, remove_host
from corral.clients.threads import side_by_side
from corral.domain.hosts import Host
from corral.domain.steps import Move
from corral.errors import GateTimeoutError, RancherConflictError, RancherGoneError

ROUNDS = 3
"""How often hosts are looked for: one that was joining meanwhile is found by the next look."""


class Rancher(RemovingRancher, Protocol):
    """What is asked of Rancher, besides what a removal does."""

    def herd(self) -> list[Host]:
        """Return the hosts of all environments, to the last page."""


@dataclass(frozen=True, slots=True)
class Emptying:
    """Takes hosts out of Rancher by the machines they are on."""

    rancher: Rancher
    patience: Patience
    """How long a host without containers may take to go, and the pause between two looks."""
    drain_time: timedelta
    """How long containers are waited for."""
    workers: int
    """Hosts that are worked on at once."""
    tell: Callable[[str], None]
    """Hears a sentence for each step, and for each host that is gone."""
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def empty(self, instance_ids: Callable[[], Collection[str]]) -> tuple[str, ...]:
        """Take out every host of these machines, and return the ids of those that went.

        Args:
            instance_ids: Looks up the machines, each time anew.

        Raises:
            GateTimeoutError: Some hosts did not go; those are named, with the reason.
        """
        gone: list[str] = []
        for _ in range(ROUNDS):
            hosts = self._hosts_on(instance_ids())
            if not hosts:
                break
            side_by_side(self._close, hosts, self.workers)
            outcomes = side_by_side(self._remove, hosts, self.workers)
            self._must_be_gone(outcomes)
            gone += [outcome.host_id for outcome in outcomes]
        return tuple(gone)

    def _hosts_on(self, instance_ids: Collection[str]) -> list[Host]:
        return [host for host in self.rancher.herd() if host.instance_id in instance_ids]

    def _close(self, host: Host) -> None:
        """Let a host take no more containers; what cannot be closed its removal deals with."""
        if Move.DEACTIVATE not in host.actions:
            return
        self._say(Move.DEACTIVATE, host)
        try:
            self.rancher.act_on_host(host.project_id, host.id, Move.DEACTIVATE)
        except (RancherConflictError, RancherGoneError) as error:
            self.tell(f"host {host.id}: {error}")

    def _remove(self, host: Host) -> Outcome:
        """Drain a host as long as that may take, and then remove it with what is on it."""
        if host.is_connected:
            drained = self._take(host, replace(self.patience, deadline=self.drain_time), drain=True)
            if drained.kind is not OutcomeKind.UNDER_WAY:
                return drained
            self.tell(f"host {host.id} still has containers: it goes with them")
        return self._take(host, self.patience, drain=False)

    def _take(self, host: Host, patience: Patience, *, drain: bool) -> Outcome:
        outcome = remove_host(
            self.rancher,
            host,
            drain=drain,
            patience=patience,
            on_move=self._say,
            sleep=self.sleep,
            clock=self.clock,
        )
        self.tell(outcome.sentence)
        return outcome

    def _say(self, move: Move, host: Host) -> None:
        self.tell(f"host {host.id} ({host.instance_id}): {move}")

    def _must_be_gone(self, outcomes: Sequence[Outcome]) -> None:
        left = [one.sentence for one in outcomes if one.kind is not OutcomeKind.REMOVED]
        if left:
            deadline = self.drain_time + self.patience.deadline
            raise GateTimeoutError("the pool's hosts leave Rancher", deadline, left)
