"""What a drain does about a spot machine that AWS is about to take back, or says so.

Its containers are sent away, its host stays: what ends that is the machine's termination. The news
is kept until it is seen whether it came true. So whoever is given it again knows that the host is
out of service because of it, and puts it back into service if the machine was spared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from corral.clients.rancher import Patience
from corral.domain.draining import (
    TRUE_WITHIN,
    can_move_containers,
    find_reason_to_stay,
    is_decided,
    is_spared,
)
from corral.domain.herd import Instance
from corral.domain.hosts import Host
from corral.domain.lifecycle import SpotWarning
from corral.domain.steps import Move
from tasks.evacuation import evacuate_host, restore_host
from tasks.fates import Fate, Handled, left, listed, said_of
from tasks.roster import Ec2, Groups, Rancher, Roster, look_up

LOOKS_AGAIN_AFTER = timedelta(minutes=5)
"""How long the news of a warning rests at most until it is seen whether it came true."""


@dataclass(frozen=True, slots=True)
class SpotWarnings:
    """Heeds warnings that come true, and undoes what it did for others."""

    cluster: str
    rancher: Rancher
    ec2: Ec2
    groups: Groups
    roster: Roster
    patience: Patience
    pause: Callable[[float], None]
    now: Callable[[], datetime]
    clock: Callable[[], float]

    def heed(self, pool: str, news: SpotWarning, *, is_again: bool) -> Handled:
        """Do what a warning asks for, as far as it is so.

        Args:
            pool: Whose queue it came from.
            news: What it said.
            is_again: Whether somebody was given this very message before.

        """
        who, now = news.instance_id, self.now()
        group = f"{self.cluster}-{pool}"
        membership, instance = look_up(self.groups, self.ec2, who)
        reason = find_reason_to_stay(news, membership, instance, group=group, now=now)
        if not reason:
            return self._evacuate(pool, news, instance, is_again=is_again)
        if is_again and is_spared(news, membership, instance, group=group):
            if is_decided(news, now):
                return self._restore(pool, news, instance)
            return self._rest(pool, news, (), f"{who} still runs after its spot warning.")
        if is_again and membership and instance is None:
            doubt = f"{membership[0]} has it, but EC2 does not list it"
            return left(pool, who, (), [doubt], LOOKS_AGAIN_AFTER)
        return Handled(pool, Fate.DROPPED, who, f"{who} is not evacuated: {reason}.")

    def _evacuate(
        self, pool: str, news: SpotWarning, instance: Instance | None, *, is_again: bool
    ) -> Handled:
        """Take the hosts of a spot machine out of service; not those that a person has."""
        who = news.instance_id
        found = self.roster.find(who, instance)
        hosts = [host for host, _ in found.values()]
        reasons = [doubt for _, doubt in found.values() if doubt]
        if not is_again and not any(_is_in_service(host) for host in hosts):
            reasons.append("no host of it is in service")
        if reasons:
            sentence = f"{who} is not evacuated: {listed(reasons)}."
            if is_again:
                return self._rest(pool, news, tuple(found), sentence)
            return Handled(pool, Fate.DROPPED, who, sentence, tuple(found))
        late = [sentence for host in hosts if (sentence := self._send_away(host, instance))]
        if late:
            return left(pool, who, tuple(found), late)
        said = f"{who} is about to be taken back by AWS: {said_of(tuple(found), 'evacuated')}."
        return self._rest(pool, news, tuple(found), said)

    def _rest(
        self, pool: str, news: SpotWarning, host_ids: tuple[str, ...], sentence: str
    ) -> Handled:
        """Keep the news of a warning until it is seen whether it came true."""
        rest = min(LOOKS_AGAIN_AFTER, max(timedelta(), news.time + TRUE_WITHIN - self.now()))
        return Handled(pool, Fate.EVACUATED, news.instance_id, sentence, host_ids, rest=rest)

    def _restore(self, pool: str, news: SpotWarning, instance: Instance | None) -> Handled:
        """Put the hosts of a machine that was not taken back into service again.

        Also those of which it became doubtful since whether they are its own: that harms nobody.
        """
        who = news.instance_id
        found = self.roster.find(who, instance)
        out = [host for host, _ in found.values() if not _is_in_service(host)]
        late = [sentence for host in out if (sentence := self._put_back(host))]
        if late:
            return left(pool, who, tuple(found), late, LOOKS_AGAIN_AFTER)
        ids = tuple(host.id for host in out)
        sentence = f"{who} was not taken back by AWS: {said_of(ids, 'in service again')}."
        return Handled(pool, Fate.RESTORED, who, sentence, ids)

    def _send_away(self, host: Host, instance: Instance | None) -> str:
        """Have a host send its containers away; return why it could not, "" if it did."""
        return evacuate_host(
            self.rancher,
            host,
            can_move=can_move_containers(host, instance),
            patience=self.patience,
            pause=self.pause,
            clock=self.clock,
        )

    def _put_back(self, host: Host) -> str:
        """Have a host take containers again; return why it does not, "" if it does."""
        return restore_host(
            self.rancher, host, patience=self.patience, pause=self.pause, clock=self.clock
        )


def _is_in_service(host: Host) -> bool:
    return Move.DEACTIVATE in host.actions
