"""What is done with one message of a pool's queue, over whatever Rancher, EC2 and groups are given.

It knows neither Prefect nor how a client is made, and it judges nothing: `domain.draining` does.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from corral.clients.aws import Message
from corral.clients.rancher.removal import RemovingRancher
from corral.domain.herd import Instance
from corral.domain.hosts import Host
from corral.domain.lifecycle import Termination


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

    def complete(self, action: Termination) -> bool:
        """Let the group go on with a machine; False if it no longer waited."""

    def heartbeat(self, action: Termination) -> bool:
        """Have the group wait on for a machine; False if it no longer waits."""


class Queue(Protocol):
    """What a drain asks of one pool's queue."""

    def receive(self, wait_s: float, most: int = 10) -> list[Message]:
        """Return the next messages, waiting for the first of them."""

    def delete(self, message: Message) -> None:
        """Take a message out of the queue for good."""

    def extend(self, message: Message, seconds: float) -> None:
        """Keep a message from other listeners for so long from now on; 0 gives it back."""


class Fate(StrEnum):
    """What became of a message."""

    DRAINED = "drained"
    """Its host is out of Rancher, or never was in it, and the group may go on."""
    EVACUATED = "evacuated"
    """Its spot machine is about to be taken back, and its containers have been sent away."""
    DROPPED = "dropped"
    """It is not for us, or says what is not so."""
    LEFT = "left"
    """Its work is not done; it comes again."""


@dataclass(frozen=True, slots=True)
class Handled:
    """One message and what became of it."""

    pool: str
    fate: Fate
    instance_id: str
    """Empty, if the message names none."""
    host_ids: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class PoolQueue:
    """The queue of one pool."""

    pool: str
    queue: Queue
    drain_time: timedelta
    """For how long after the event containers are waited for."""
