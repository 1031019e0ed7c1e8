"""Who held a state's lock, and whether that one is provably dead.

A lock is broken only if three things are proven: that it is the holder's, that the holder's run is
over, and that none of its Terraforms can still be at work. Otherwise people decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

CLOCKS = timedelta(seconds=10)
"""How much what is written at one moment may differ in time: files, objects and locks are not
dated at the same instant, and a Terraform may die before it has printed a line."""


class Holder(BaseModel):
    """A run that took a state to change it."""

    model_config = ConfigDict(frozen=True)

    run: str
    """Its id."""
    name: str
    process: Mapping[str, str | int]
    """Which process it is, and where."""
    copy_of_stack: str
    """Which working copy it used, so that no other file anywhere has the same name; may be ""."""
    began: AwareDatetime
    ended: AwareDatetime | None = None

    @property
    def host(self) -> str:
        """The machine's name, as Terraform writes it into a lock."""
        return str(self.process.get("host", ""))

    def __str__(self) -> str:
        """The run, where it was at work, and since when."""
        return f"the run {self.name} ({self.run}) on {self.host}, since {self.began:%F %T} UTC"


class Lock(BaseModel):
    """What Terraform wrote into a lock. Source: Terraform, internal/states/statemgr/locker.go."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(alias="ID")
    operation: str = Field(alias="Operation", default="")
    who: str = Field(alias="Who")
    """As user@host."""
    created: AwareDatetime = Field(alias="Created")


class Breaking(BaseModel):
    """A lock that was taken away from somebody who is dead, and why that was right."""

    model_config = ConfigDict(frozen=True)

    lock: str
    who: str
    created: AwareDatetime
    holder: str
    proof: str
    at: AwareDatetime
    by: str
    """Name of the run that broke it."""

    def __str__(self) -> str:
        """Whose lock it was, and the proof, in a sentence."""
        return (
            f"The lock {self.lock} of {self.who} since {self.created:%F %T} UTC was broken by"
            f" {self.by}: it was {self.holder}, and {self.proof}."
        )


class Record(BaseModel):
    """What lies beside a state."""

    model_config = ConfigDict(frozen=True)

    holders: tuple[Holder, ...] = ()
    """The last one, behind those whose lock may still be there."""
    unsettled: bool = False
    """Whether something may have been made that is not in the state."""
    broken: tuple[Breaking, ...] = ()

    @property
    def is_unsettled(self) -> bool:
        """The same, a holder included that did not come to write it down."""
        return self.unsettled or any(holder.ended is None for holder in self.holders)


@dataclass(frozen=True, slots=True)
class Testimony:
    """What is known of a holder's end; each is "" or None where nothing is."""

    run: str = ""
    """Why its run is over, as half a sentence."""
    engine: str = ""
    """Why no Terraform of it can be at work, as half a sentence."""
    latest: datetime | None = None
    """When it can have taken a lock at the latest."""


def may_be_of(lock: Lock, holder: Holder) -> bool:
    """Tell whether a holder can have taken this lock, by its time and its machine."""
    over = holder.ended is not None and lock.created > holder.ended + CLOCKS
    is_of_host = lock.who.rpartition("@")[2] == holder.host
    return is_of_host and holder.began - CLOCKS <= lock.created and not over


def find_proof(lock: Lock, holder: Holder, testimony: Testimony) -> tuple[str, str]:
    """Return the proof that a lock's holder is dead, and what lacks to it; one of both is "".

    Args:
        lock: What is there.
        holder: Who may have taken it.
        testimony: What is known of the holder's end.

    """
    if not may_be_of(lock, holder):
        return "", f"it is not that of {holder}"
    if not testimony.run:
        return "", f"nothing proves that {holder} is over"
    if not testimony.engine or testimony.latest is None:
        return "", f"{holder} is over, but its Terraform may still be at work there"
    if lock.created > testimony.latest + CLOCKS:
        return "", f"it was taken when {holder} can have done nothing any more"
    return f"{testimony.run}, and {testimony.engine}", ""
