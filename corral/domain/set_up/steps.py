"""What a step of set-up came to, and the states in which a thing of Rancher's counts as gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

GONE_STATES = frozenset({"removing", "removed", "purging", "purged"})


class Did(StrEnum):
    """What a step of set-up came to."""

    CREATED = "created"
    KEPT = "kept"
    CHANGED = "changed"
    REPLACED = "replaced"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of set-up and what it came to."""

    what: str
    did: Did

    def __str__(self) -> str:
        """Say it as a line of a report."""
        return f"{self.what}: {self.did}"


def with_earlier(earlier: Sequence[Step], steps: Sequence[Step]) -> list[Step]:
    """Return what several tries of the same came to, the last of which finds kept what others made.

    Args:
        earlier: What the tries that failed have written.
        steps: All steps of the last try.
    """
    made = {step.what for step in earlier}
    return [
        *earlier,
        *(step for step in steps if step.did is not Did.KEPT or step.what not in made),
    ]


def is_gone(state: str) -> bool:
    """Say whether something in this state is gone or cannot be kept from going."""
    return state in GONE_STATES
