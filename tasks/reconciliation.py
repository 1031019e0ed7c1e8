"""One reconcile from its first read to its last removal, over whatever Rancher and EC2 it is given.

It knows neither Prefect nor how a client is made, and it judges nothing: `domain.herd` does.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from corral.clients.rancher import Patience
from corral.clients.rancher.removal import (
    Outcome,
    OutcomeKind,
    RemovingRancher,
    remove_host,
    say_nothing,
)
from corral.clients.threads import side_by_side
from corral.domain.gate import Member
from corral.domain.herd import (
    Assessment,
    Evidence,
    Instance,
    Removal,
    Rule,
    View,
    Watch,
    assess,
    find_absent,
    find_missing,
    may_still_be_removed,
)
from corral.domain.hosts import Host
from corral.domain.set_up.environments import KnownProject
from corral.domain.steps import Move
from corral.errors import CorralError, RancherAnswerError

REMOVE_DELAY = "host.remove.delay.seconds"
"""Rancher's own remover. Source: cattle, META-INF/cattle/defaults/defaults.properties."""
# An instance that its group is ending goes through Terminating, Terminating:Wait, :Proceed.
LEAVING = "Terminating"


class Setting(Protocol):
    """One of Rancher's settings."""

    @property
    def effective(self) -> str:
        """What the server goes by."""


class Rancher(RemovingRancher, Protocol):
    """What a reconcile asks of Rancher, besides what a removal does."""

    def projects(self) -> list[KnownProject]:
        """Return every environment."""

    def setting(self, name: str) -> Setting:
        """Return one setting."""

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

    def members_of(self, names: Collection[str]) -> Mapping[str, str]:
        """Return the group of each instance that these groups have, by its id."""

    def lifecycle_states(self, ids: Collection[str]) -> Mapping[str, tuple[str, str]]:
        """Return group and lifecycle state of these instances, by id."""


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
    """For how long a run removes hosts, and the pause between two looks at one."""
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
        projects = self.rancher.projects()
        remove_delay_s = _seconds(self.rancher.setting(REMOVE_DELAY).effective)
        hosts = self.rancher.herd()
        servers = _servers(self.rancher.members())
        instances = self.ec2.list()
        view = View(
            hosts=hosts,
            instances=instances,
            projects=projects,
            now=self.now(),
            servers=servers,
            remove_delay_s=remove_delay_s,
        )
        return self._with_who_leaves(self._with_what_is_known_of_absent(view))

    def assess(self, view: View, watch: Watch) -> Assessment:
        """Return what is to be thought and done about what was read.

        Before anybody is removed, the groups are asked whether EC2's list was whole.

        Raises:
            CorralError: They, or EC2 about what it did not list, could not be asked.
        """
        assessment = assess(view, self.rule, watch)
        if not assessment.removals:
            return assessment
        return assess(self._with_whom_ec2_has_to_list(view), self.rule, watch)

    def remove(
        self,
        removals: Sequence[Removal],
        on_move: Callable[[Move, Host], None] = say_nothing,
    ) -> tuple[Outcome, ...]:
        """Look a second time at each of these hosts and its instance, and remove it if both agree.

        Returns:
            One outcome for each removal, in their order; one host's failure stops no other.

        Raises:
            CorralError: EC2 could not be asked a second time; nothing was removed.
        """
        instances = self.ec2.find([removal.instance_id for removal in removals])
        until = self.clock() + self.patience.deadline.total_seconds()

        def remove(removal: Removal) -> Outcome:
            return self._remove(removal, instances.get(removal.instance_id), until, on_move)

        return side_by_side(remove, removals, self.workers)

    def _remove(
        self,
        removal: Removal,
        instance: Instance | None,
        until: float,
        on_move: Callable[[Move, Host], None],
    ) -> Outcome:
        left = timedelta(seconds=until - self.clock())
        if left <= timedelta():
            return Outcome(removal.host.id, OutcomeKind.UNDER_WAY, self._not_begun(removal))
        return remove_host(
            self.rancher,
            removal.host,
            drain=False,
            patience=replace(self.patience, deadline=left),
            object_to=lambda fresh: self._object_to(removal, fresh, instance),
            on_move=on_move,
            sleep=self.sleep,
            clock=self.clock,
        )

    def _object_to(self, removal: Removal, fresh: Host, instance: Instance | None) -> str:
        """Return why a host has to stay after all.

        What EC2 just does not know may be found again at any moment, so EC2 is asked before each
        step. There are few of that kind; what is proven dead does not come back.
        """
        try:
            if removal.evidence is Evidence.ABSENT:
                instance = self.ec2.find([removal.instance_id]).get(removal.instance_id)
        except CorralError as error:
            return f"EC2 could not be asked about it again: {error}"
        return may_still_be_removed(removal, fresh, instance)

    def _not_begun(self, removal: Removal) -> str:
        seconds = self.patience.deadline.total_seconds()
        return (
            f"host {removal.host.id} has not had its turn, since others took all of the"
            f" {seconds:.0f} s that one run has: the next run goes on"
        )

    def _with_whom_ec2_has_to_list(self, view: View) -> View:
        """Ask the groups for their members, and EC2 again for those that its list lacks.

        Whoever is silent, says that it is another machine, and is missing from the list could not
        be told from the dead by the list alone.
        """
        members = self.groups.members_of(self.group_names)
        missed = members.keys() - {instance.id for instance in view.instances}
        found = self.ec2.find(missed) if missed else {}
        instances = [*view.instances, *found.values()]
        return replace(view, instances=instances, members=members)

    def _with_what_is_known_of_absent(self, view: View) -> View:
        """Ask again, by id, for instances that the list lacks, and the groups for their end.

        Of an empty list nothing is believed, so nothing more is asked about it.
        """
        absent = find_absent(view.hosts, view.instances, self.rule)
        if not (absent and view.instances):
            return view
        found = self.ec2.find(absent)
        unknown = absent - found.keys()
        records = self.groups.terminations(self.group_names, unknown) if unknown else {}
        return replace(view, instances=[*view.instances, *found.values()], records=records)

    def _with_who_leaves(self, view: View) -> View:
        """Ask the groups which of the instances without a host they are ending."""
        missing = [instance.id for instance in find_missing(view, self.rule)]
        if not missing:
            return view
        states = self.groups.lifecycle_states(missing)
        leaving = {id_ for id_, (_, state) in states.items() if state.startswith(LEAVING)}
        return replace(view, leaving=frozenset(leaving))


def _seconds(setting: str) -> int | None:
    """Return a setting that counts seconds; None if it says something else."""
    try:
        return int(setting)
    except ValueError:
        return None


def _servers(members: tuple[Member, ...] | str) -> frozenset[str]:
    """Return Rancher's servers as a watch knows them: a restarted one has a new id."""
    if isinstance(members, str):
        raise RancherAnswerError(
            f"Rancher does not list its servers, but answers {members}: whether it was restarted a"
            " moment ago cannot be known."
        )
    return frozenset(f"{member.id} {member.address}" for member in members)
