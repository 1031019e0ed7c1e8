"""Which hosts say that they are a given machine, by lists that are read once for all who ask."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Protocol

from corral.clients.rancher.removal import RemovingRancher
from corral.domain.draining import Membership, find_doubt
from corral.domain.herd import Instance, Rule, View
from corral.domain.herd.matching import Matching
from corral.domain.hosts import Host
from corral.domain.lifecycle import Termination
from corral.errors import AwsUnavailableError


class Rancher(RemovingRancher, Protocol):
    """What a drain asks of Rancher, besides what a removal does."""

    def herd(self) -> list[Host]:
        """Return the hosts of all environments, to the last page."""


class Ec2(Protocol):
    """What a drain asks of EC2."""

    def list(self) -> Sequence[Instance]:
        """Return every instance of the account and region, or fail."""

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


@dataclass(frozen=True, slots=True)
class _Herd:
    """Both lists as they were read, Rancher's before EC2's."""

    hosts: Sequence[Host]
    instance_ids: frozenset[str]
    matching: Matching


class Roster:
    """Which hosts say that they are a given machine; askers at the same time share one reading."""

    def __init__(
        self, rancher: Rancher, ec2: Ec2, rule: Rule, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read nothing yet."""
        self._rancher = rancher
        self._ec2 = ec2
        self._rule = rule
        self._clock = clock
        self._lock = Lock()
        self._herd: _Herd | None = None
        self._read_at = float("-inf")

    def find(self, instance_id: str, instance: Instance | None) -> dict[str, tuple[Host, str]]:
        """Return the hosts with the label of a machine, from lists not older than this call.

        Args:
            instance_id: The machine.
            instance: As EC2 knows it by its id.

        Returns:
            Each host by its id, with the reason for which it need not be the machine's, or "".

        """
        herd = self._read()
        if instance and instance_id not in herd.instance_ids:
            raise AwsUnavailableError(
                "DescribeInstances", "Incomplete", f"it does not list {instance_id}, which it knows"
            )
        return {
            host.id: (host, find_doubt(host, herd.matching, instance))
            for host in herd.hosts
            if host.instance_id == instance_id
        }

    def _read(self) -> _Herd:
        asked_at = self._clock()
        with self._lock:
            if self._herd is None or self._read_at < asked_at:
                begun = self._clock()
                self._herd = self._read_anew()
                self._read_at = begun
            return self._herd

    def _read_anew(self) -> _Herd:
        hosts, instances = self._rancher.herd(), self._ec2.list()
        view = View(hosts, instances, (), datetime.now(UTC))
        ids = frozenset(instance.id for instance in instances)
        return _Herd(hosts, ids, Matching(view, self._rule))


def look_up(groups: Groups, ec2: Ec2, instance_id: str) -> tuple[Membership, Instance | None]:
    """Return what group and EC2 say of a machine; None from whoever does not know it."""
    membership = groups.lifecycle_states([instance_id]).get(instance_id)
    return membership, ec2.find([instance_id]).get(instance_id)
