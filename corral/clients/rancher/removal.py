"""Takes one host out of Rancher, step by step; whoever died half-way is finished by the next.

What the next step is, `domain.steps` decides; whether the host may go at all, the caller does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from corral.clients.rancher.keys import Patience
from corral.domain.hosts import Host
from corral.domain.steps import Move


class OutcomeKind(StrEnum):
    """How the removal of a host ended, as far as one run is concerned."""

    REMOVED = "removed"
    CANCELLED = "cancelled"
    UNDER_WAY = "under way"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one host.

    `sentence` says it to people; of a host that is gone as well.
    """

    host_id: str
    kind: OutcomeKind
    sentence: str


class RemovingRancher(Protocol):
    """What a removal asks of Rancher."""

    def host(self, project_id: str, host_id: str) -> Host | None:
        """Return one host by its id, removed ones too; None if Rancher has no such row."""

    def act_on_host(self, project_id: str, host_id: str, action: str) -> None:
        """Have one action done to a host."""

    def is_busy(self, project_id: str, host_id: str) -> bool:
        """Say whether containers of users still run on a host."""


def remove_host(
    rancher: RemovingRancher,
    host: Host,
    *,
    drain: bool,
    patience: Patience,
    object_to: Callable[[Host], str],
    on_move: Callable[[Move, Host], None],
    sleep: Callable[[float], None],
    clock: Callable[[], float],
) -> Outcome:
    """Take the steps that are left until a host is gone.

    Args:
        rancher: Where the host is.
        host: As it was judged; it is read again before anything is done.
        drain: Whether its containers are to move elsewhere first.
        patience: How long this run works on the host, and the pause between two looks.
        object_to: Asked once, right before the first step that changes anything, with the host
            as it is now; a sentence cancels the removal, "" lets it go on.
        on_move: Told each step before it is taken.
        sleep: Seconds.
        clock: Seconds, ever growing.
    """
    raise NotImplementedError
