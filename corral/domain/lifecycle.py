"""What the messages in a pool's queue say about its machines."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Termination:
    """A group holds an instance that shall go, until somebody completes the hook."""

    group: str
    hook: str
    instance_id: str
    token: str
    time: datetime


@dataclass(frozen=True, slots=True)
class SpotWarning:
    """EC2 takes an instance back in two minutes; `action` is terminate, stop or hibernate."""

    instance_id: str
    action: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Foreign:
    """A message that is not for this flow; the sentence says why."""

    reason: str


def read_message(body: str, groups: Collection[str]) -> Termination | SpotWarning | Foreign:
    """Return what a message says."""
    raise NotImplementedError
