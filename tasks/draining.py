"""What a drain does about a machine that leaves, over whatever Rancher, EC2 and groups are given.

It knows neither Prefect nor queues, nor how a client is made, and it judges nothing:
`domain.draining` does. Its steps can be broken off anywhere: first the host leaves Rancher, then
the group lets the machine go. Who is told of the machine next does the rest.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from corral.clients.rancher import Patience
from corral.clients.rancher.removal import Outcome, OutcomeKind, remove_host
from corral.domain.draining import Standing, can_move_containers, find_objection, judge_standing
from corral.domain.herd import Instance
from corral.domain.hosts import Host
from corral.domain.lifecycle import Foreign, SpotWarning, Termination, read_message
from corral.domain.steps import Move
from corral.errors import CorralError
from tasks.fates import Fate, Handled, left, listed, said_of
from tasks.roster import Ec2, Groups, Rancher, Roster, look_up
from tasks.spot import SpotWarnings

log = logging.getLogger(f"corral.{__name__}")

LOOKS_AT_GROUP = 5
"""How often a group is asked before news of one of its machines is taken for wrong: what it says of
a machine may be a moment behind the event."""

News = Termination | SpotWarning | Foreign


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

    def handle(
        self, pool: str, drain_time: timedelta, news: News, *, is_again: bool = False
    ) -> Handled:
        """Do what a piece of news asks for, as far as it is so; an error of ours leaves it.

        Args:
            pool: Whose queue it came from.
            drain_time: How long after the event containers are waited for.
            news: What the message said.
            is_again: Whether somebody was given this very message before.

        """
        if isinstance(news, Foreign):
            return Handled(pool, Fate.DROPPED, "", f"A message was dropped: {news.reason}")
        try:
            if isinstance(news, Termination):
                return self._drain(pool, drain_time, news)
            return self._spot_warnings.heed(pool, news, is_again=is_again)
        except CorralError as error:
            return left(pool, news.instance_id, (), [str(error)])

    def _drain(self, pool: str, drain_time: timedelta, news: Termination) -> Handled:
        standing, instance = self._find_standing(news)
        if standing is Standing.STAYING:
            who = f"{news.instance_id} is not being ended by {news.group}"
            return Handled(pool, Fate.DROPPED, news.instance_id, f"{who}: its host is left alone.")
        if standing is Standing.UNKNOWN:
            doubt = f"neither {news.group} nor EC2 knows it, which proves nothing"
            return self._pass_on(pool, news, (), [doubt])
        found = self.roster.find(news.instance_id, instance)
        in_time = self.now() < news.time + drain_time
        sure = [host for host, doubt in found.values() if not doubt]
        outcomes = [self._remove(host, standing, instance, in_time=in_time) for host in sure]
        undone = [each.sentence for each in outcomes if each.kind is not OutcomeKind.REMOVED]
        if undone:
            return left(pool, news.instance_id, tuple(found), undone)
        if doubts := [doubt for _, doubt in found.values() if doubt]:
            return self._pass_on(pool, news, tuple(found), doubts)
        gone = said_of(tuple(found), "out of Rancher")
        sentence = f"{news.group} ends {news.instance_id}: {gone}, {self._complete(news)}."
        return Handled(pool, Fate.DRAINED, news.instance_id, sentence, tuple(found))

    def _pass_on(
        self, pool: str, news: Termination, host_ids: tuple[str, ...], doubts: Sequence[str]
    ) -> Handled:
        """Have the group end a machine, and leave what calls itself its host as it is."""
        sentence = (
            f"{news.instance_id} is left to reconcile-hosts, and {self._complete(news)}:"
            f" {listed(doubts)}."
        )
        return Handled(pool, Fate.PASSED_ON, news.instance_id, sentence, host_ids)

    def _complete(self, news: Termination) -> str:
        waited = self.groups.complete(news)
        return f"{news.group} {'goes on' if waited else 'no longer waited'}"

    def _find_standing(self, news: Termination) -> tuple[Standing, Instance | None]:
        """Return how a machine stands, asked again while the news may be ahead of the group."""
        for look in range(LOOKS_AT_GROUP):
            if look:
                self.pause(self.patience.interval.total_seconds())
            membership, instance = look_up(self.groups, self.ec2, news.instance_id)
            standing = judge_standing(news, membership, instance)
            if standing in (Standing.LEAVING, Standing.DEAD):
                break
        return standing, instance

    @property
    def _spot_warnings(self) -> SpotWarnings:
        return SpotWarnings(
            self.cluster,
            self.rancher,
            self.ec2,
            self.groups,
            self.roster,
            self.patience,
            self.pause,
            self.now,
            self.clock,
        )

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


def _say(move: Move, host: Host) -> None:
    log.info("host %s (%s): %s", host.id, host.instance_id, move)
