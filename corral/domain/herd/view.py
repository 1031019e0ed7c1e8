"""What a run has read, and what it goes by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from corral.cluster import ClusterSpec
from corral.domain.herd.instances import Instance
from corral.domain.hosts import Host
from corral.domain.set_up.environments import KnownProject


@dataclass(frozen=True, slots=True)
class View:
    """Both lists whole, Rancher's read before EC2's, and what belongs to them.

    Attributes:
        hosts: Every row that Rancher lists, of all environments.
        instances: Every instance of the account and region, also those found by id afterwards.
        projects: Rancher's environments.
        now: When EC2's list was read, by this machine's clock.
        records: Instance id to the sentence with which its group noted that it terminated it.
        servers: Rancher's servers, each `id address`; empty if nobody asked.
        members: Group of each instance that the pools' groups have, by its id; empty if nobody
            asked.
        leaving: Ids of running instances that their group is terminating.
        remove_delay_s: Rancher's setting for environments without one of their own; negative is
            off, None if nobody asked.
    """

    hosts: Sequence[Host]
    instances: Sequence[Instance]
    projects: Sequence[KnownProject]
    now: datetime
    records: Mapping[str, str] = field(default_factory=dict)
    servers: frozenset[str] = frozenset()
    members: Mapping[str, str] = field(default_factory=dict)
    leaving: frozenset[str] = frozenset()
    remove_delay_s: int | None = None


class Patience(Protocol):
    """The settings that say how long things may take, in seconds."""

    @property
    def join_grace_s(self) -> float:
        """How long a new instance may take to join."""

    @property
    def quiet_s(self) -> float:
        """How long nothing is removed after a start of one of Rancher's servers."""

    @property
    def stuck_after_s(self) -> float:
        """How long a host may take for a step of its removal."""

    @property
    def absence_s(self) -> float:
        """How long EC2 must not know an instance before that counts as its death."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a run may do, and how patient it is."""

    cluster: str
    account_id: str
    region: str
    max_removals: int
    max_removal_percent: int
    max_absent_removals: int
    join_grace: timedelta
    quiet: timedelta
    stuck_after: timedelta
    absence: timedelta

    @classmethod
    def of(cls, spec: ClusterSpec, settings: Patience) -> "Rule":
        """Return the rule of a cluster, with this installation's patience."""
        return cls(
            cluster=spec.name,
            account_id=spec.aws.account_id,
            region=spec.aws.region,
            max_removals=spec.reconcile.max_removals,
            max_removal_percent=spec.reconcile.max_removal_percent,
            max_absent_removals=spec.reconcile.max_absent_removals,
            join_grace=timedelta(seconds=settings.join_grace_s),
            quiet=timedelta(seconds=settings.quiet_s),
            stuck_after=timedelta(seconds=settings.stuck_after_s),
            absence=timedelta(seconds=settings.absence_s),
        )
