"""What becomes of news of machines that leave, in words for people."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Fate(StrEnum):
    """What became of a piece of news."""

    DRAINED = "drained"
    """Its host is out of Rancher, or never was in it, and the group may end the machine."""
    EVACUATED = "evacuated"
    """Its spot machine is about to be taken back; its containers were sent away, the host stays,
    and the news is kept until it is seen whether it came true."""
    RESTORED = "restored"
    """Its spot machine was not taken back after all: its host is in service again."""
    PASSED_ON = "passed on"
    """Nobody can tell whether a host is the machine's: a reconcile judges it. The group may end
    the machine."""
    DROPPED = "dropped"
    """It is not for us, or says what is not so."""
    LEFT = "left"
    """Its work is not done; it is for another try."""


@dataclass(frozen=True, slots=True)
class Handled:
    """One piece of news and what became of it.

    `instance_id` is empty if the news names none; `sentence` says everything to people. `rest` is
    how long news that is kept is not looked at; None leaves that to its queue.
    """

    pool: str
    fate: Fate
    instance_id: str
    sentence: str
    host_ids: tuple[str, ...] = ()
    rest: timedelta | None = None

    @property
    def is_done(self) -> bool:
        """Whether nobody has to look at the news again."""
        return self.fate not in (Fate.LEFT, Fate.EVACUATED)


def left(
    pool: str,
    instance_id: str,
    host_ids: tuple[str, ...],
    reasons: Sequence[str],
    rest: timedelta | None = None,
) -> Handled:
    """Return that work is not done, and why."""
    sentence = f"{instance_id} is left for another try: {listed(reasons)}."
    return Handled(pool, Fate.LEFT, instance_id, sentence, host_ids, rest=rest)


def listed(reasons: Sequence[str]) -> str:
    """Return some sentences as one, without its end."""
    return "; ".join(reason.rstrip(".") for reason in reasons)


def said_of(host_ids: Collection[str], verb: str) -> str:
    """Return what became of the hosts of a machine."""
    if not host_ids:
        return "Rancher has no host of it"
    return f"host {', '.join(host_ids)} is {verb}"
