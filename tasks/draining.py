"""What a drain does about a machine that leaves, over whatever Rancher, EC2 and groups are given.

It knows neither Prefect nor queues, nor how a client is made, and it judges nothing:
`domain.draining` does. Its steps can be broken off anywhere: first the host leaves Rancher, then
the group lets the machine go. Who is told of the machine next does the rest.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from threading import Lock
from typing import Protocol

from corral.clients.rancher import Patience
from corral.clients.rancher.removal import Outcome, OutcomeKind, RemovingRancher, remove_host
from corral.domain.draining import (
    Standing,
    can_move_containers,
    find_objection,
    find_reason_to_stay,
    judge_standing,
)
from corral.domain.herd import Instance
from corral.domain.hosts import Host
from corral.domain.lifecycle import Foreign, SpotWarning, Termination, read_message
from corral.domain.steps import Move
from corral.errors import CorralError
from tasks.evacuation import evacuate_host

log = logging.getLogger(f"corral.{__name__}")

LOOKS_AT_GROUP = 5
"""How often a group is asked before news of one of its machines is taken for wrong: what it says of
a machine may be a moment behind the event."""

News = Termination | SpotWarning | Foreign


class Rancher(RemovingRancher, Protocol):
    """What a drain asks of Rancher, besides what a removal does."""

    def herd(self) -> list[Host]:
        """Return the hosts of all environments, to the last page."""


class Ec2(Protocol):
    """What a drain asks of EC2."""

    def find(self, ids: Collection[str]) -> Mapping[str, Instance]:
        """Return those of these instances that EC2 knows, by id."""


class Groups(Protocol):
    """What a drain asks of auto scaling groups, and has them do."""

    def lifecycle_states(self, ids: Collection[str]) -> Mapping[str, tuple[str, str]]:
        """Return group and lifecycle state of these instances, by id."""

    def complete(self, termination: Termination) -> bool:
        """Let a group end a machine; say whether it was still waiting for that."""

    def heartbeat(self, termination: Termination) -> bool:
        """Have a group wait on for a machine; say whether it still waits at all."""


class Fate(StrEnum):
    """What became of a piece of news."""

    DRAINED = "drained"
    """Its host is out of Rancher, or never was in it, and the group may end the machine."""
    EVACUATED = "evacuated"
    """Its spot machine is about to be taken back; its containers were sent away, the host stays."""
    DROPPED = "dropped"
    """It is not for us, or says what is not so."""
    LEFT = "left"
    """Its work is not done; it is for another try."""


@dataclass(frozen=True, slots=True)
class Handled:
    """One piece of news and what became of it.

    `instance_id` is empty if the news names none; `sentence` says everything to people.
    """

    pool: str
    fate: Fate
    instance_id: str
    sentence: str
    host_ids: tuple[str, ...] = ()


class Roster:
    """Which hosts say that they are a given machine; askers at the same time share one reading."""

    def __init__(self, rancher: Rancher, clock: Callable[[], float] = time.monotonic) -> None:
        self._rancher = rancher
        self._clock = clock
        self._lock = Lock()
        self._hosts: list[Host] = []
        self._read_at = float("-inf")

    def find(self, instance_id: str) -> list[Host]:
        """Return the hosts with the label of a machine, from a list not older than this call."""
        asked_at = self._clock()
        with self._lock:
            if self._read_at < asked_at:
                begun = self._clock()
                self._hosts = self._rancher.herd()
                self._read_at = begun
            return [host for host in self._hosts if host.instance_id == instance_id]


@dataclass(frozen=True, slots=True)
class Draining:
    """Takes the hosts of machines that leave out of Rancher, one piece of news at a time.

    `pause` takes seconds, and may raise what is none of ours to break the work off.
    """

    cluster: str
    group_names: frozenset[str]
    rancher: Rancher
    ec2: Ec2
    groups: Groups
    roster: Roster
    patience: Patience
    """How often a host that leaves is looked at, and for how long in one go."""
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: Callable[[], float] = time.monotonic

    def read(self, body: str) -> News:
        """Return what the body of a message says."""
        return read_message(body, self.group_names)

    def handle(self, pool: str, drain_time: timedelta, news: News) -> Handled:
        """Do what a piece of news asks for, as far as it is so; an error of ours leaves it.

        Args:
            pool: Whose queue it came from.
            drain_time: How long after the event containers are waited for.
            news: What the message said.

        """
        if isinstance(news, Foreign):
            return Handled(pool, Fate.DROPPED, "", f"A message was dropped: {news.reason}")
        try:
            if isinstance(news, Termination):
                return self._drain(pool, drain_time, news)
            return self._evacuate(pool, news)
        except CorralError as error:
            return _left(pool, news.instance_id, (), [str(error)])

    def _drain(self, pool: str, drain_time: timedelta, news: Termination) -> Handled:
        standing, instance = self._find_standing(news)
        who = news.instance_id
        if standing is Standing.STAYING:
            sentence = f"{who} is not being ended by {news.group}: its host is left alone."
            return Handled(pool, Fate.DROPPED, who, sentence)
        hosts = self.roster.find(who)
        ids = tuple(host.id for host in hosts)
        in_time = self.now() < news.time + drain_time
        outcomes = [self._remove(host, standing, instance, in_time=in_time) for host in hosts]
        undone = [each.sentence for each in outcomes if each.kind is not OutcomeKind.REMOVED]
        if undone:
            return _left(pool, who, ids, undone)
        waited = self.groups.complete(news)
        gone = _said_of(ids, "out of Rancher")
        sentence = f"{who}: {gone}, {news.group} {'goes on' if waited else 'no longer waited'}."
        return Handled(pool, Fate.DRAINED, who, sentence, ids)

    def _find_standing(self, news: Termination) -> tuple[Standing, Instance | None]:
        """Return how a machine stands, asked again while the news may be ahead of the group."""
        for look in range(LOOKS_AT_GROUP):
            if look:
                self.pause(self.patience.interval.total_seconds())
            membership = self.groups.lifecycle_states([news.instance_id]).get(news.instance_id)
            instance = self.ec2.find([news.instance_id]).get(news.instance_id)
            standing = judge_standing(news, membership, instance)
            if standing is not Standing.STAYING:
                break
        return standing, instance

    def _remove(
        self, host: Host, standing: Standing, instance: Instance | None, *, in_time: bool
    ) -> Outcome:
        def object_to(fresh: Host) -> str:
            return find_objection(fresh, standing, instance)

        return remove_host(
            self.rancher,
            host,
            drain=in_time and can_move_containers(host, instance),
            patience=self.patience,
            object_to=object_to,
            on_move=_say,
            sleep=self.pause,
            clock=self.clock,
        )

    def _evacuate(self, pool: str, news: SpotWarning) -> Handled:
        """Send the containers of a spot machine away; what ends its host is its termination."""
        who = news.instance_id
        instance = self.ec2.find([who]).get(who)
        if reason := find_reason_to_stay(instance, self.cluster, pool):
            return Handled(pool, Fate.DROPPED, who, f"{who} is not evacuated: {reason}.")
        hosts = self.roster.find(who)
        ids = tuple(host.id for host in hosts)
        late = [sentence for host in hosts if (sentence := self._send_away(host, instance))]
        if late:
            return _left(pool, who, ids, late)
        sentence = f"{who} is about to be taken back by AWS: {_said_of(ids, 'evacuated')}."
        return Handled(pool, Fate.EVACUATED, who, sentence, ids)

    def _send_away(self, host: Host, instance: Instance | None) -> str:
        """Have a host send its containers away; return why it could not, "" if it did."""
        return find_objection(host, Standing.LEAVING, instance) or evacuate_host(
            self.rancher,
            host,
            can_move=can_move_containers(host, instance),
            patience=self.patience,
            pause=self.pause,
            clock=self.clock,
        )


def _left(
    pool: str, instance_id: str, host_ids: tuple[str, ...], reasons: Sequence[str]
) -> Handled:
    said = "; ".join(reason.rstrip(".") for reason in reasons)
    sentence = f"{instance_id} is left for another try: {said}."
    return Handled(pool, Fate.LEFT, instance_id, sentence, host_ids)


def _said_of(host_ids: Collection[str], verb: str) -> str:
    if not host_ids:
        return "Rancher has no host of it"
    return f"host {', '.join(host_ids)} is {verb}"


def _say(move: Move, host: Host) -> None:
    log.info("host %s (%s): %s", host.id, host.instance_id, move)
