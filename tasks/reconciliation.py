"""One reconcile from its first read to its last removal, over whatever Rancher and EC2 it is given.

It knows neither Prefect nor how a client is made, and it judges nothing: `domain.herd` does.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from corral.clients.rancher import Patience
from corral.clients.rancher.removal import Outcome, RemovingRancher, remove_host
from corral.domain.access import KnownProject
from corral.domain.gate import Member
from corral.domain.herd import (
    Assessment,
    Instance,
    Removal,
    Rule,
    View,
    Watch,
    assess,
)
from corral.domain.hosts import Host
from corral.domain.steps import Move


class Rancher(RemovingRancher, Protocol):
    """What a reconcile asks of Rancher, besides what a removal does."""

    def projects(self) -> list[KnownProject]:
        """Return every environment."""

    def herd(self) -> list[Host]:
        """Return the hosts of all environments, to the last page."""

    def members(self) -> tuple[Member, ...] | str:
        """Return Rancher's servers, or what was answered instead."""


class Ec2(Protocol):
    """What a reconcile asks of EC2."""

    def list(self) -> list[Instance]:
        """Return every instance of the account in the region, to the last page."""

    def find(self, ids: Collection[str]) -> Mapping[str, Instance]:
        """Return those of these instances that EC2 knows, by id."""


class Groups(Protocol):
    """What a reconcile asks of auto scaling groups."""

    def terminations(self, names: Collection[str], ids: Collection[str]) -> Mapping[str, str]:
        """Return what the groups wrote down about ending these instances, by id."""

    def lifecycle_states(self, ids: Collection[str]) -> Mapping[str, tuple[str, str]]:
        """Return group and lifecycle state of these instances, by id."""


def _hear_nothing(move: Move, host: Host) -> None:
    """Take a report of a move and keep it to oneself."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The steps of one reconcile, in the order in which a run takes them."""

    rancher: Rancher
    ec2: Ec2
    groups: Groups
    rule: Rule
    group_names: Sequence[str]
    """The auto scaling groups of the pools, whose logs may prove a death."""
    patience: Patience
    """How often a host that is being removed is looked at, and for how long."""
    workers: int
    """Hosts that are worked on at once."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: Callable[[], float] = time.monotonic
    """Seconds, for deadlines."""
    sleep: Callable[[float], None] = time.sleep

    def read(self) -> View:
        """Return the whole of both sides: Rancher first, EC2 and with it the proof of life last.

        Raises:
            CorralError: One side could not be read to its end; a part of it is worth nothing.
        """
        raise NotImplementedError

    def assess(self, view: View, watch: Watch) -> Assessment:
        """Return what is to be thought and done about what was read."""
        return assess(view, self.rule, watch)

    def remove(
        self,
        removals: Sequence[Removal],
        on_move: Callable[[Move, Host], None] = _hear_nothing,
    ) -> tuple[Outcome, ...]:
        """Look a second time at each of these hosts and its instance, and remove it if both agree.

        Returns:
            One outcome for each removal, in their order; one host's failure stops no other.

        Raises:
            CorralError: EC2 could not be asked a second time; nothing was removed.
        """
        raise NotImplementedError
