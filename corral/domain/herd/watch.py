"""What one run of the reconcile has to tell the next: since when something is so."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

# Together they stay below 4500 characters of JSON: Prefect keeps 5000 in a variable.
MOST_SERVERS = 10
MOST_MOVING = 80
MOST_DYING = 30

Since = dict[str, AwareDatetime]


class Watch(BaseModel):
    """Since when something is known, by ids.

    It holds nothing that a removal needs: a lost watch only makes alerts late.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    servers: Since = Field(default_factory=dict, description="Rancher's servers, `id address`.")
    moving: Since = Field(default_factory=dict, description="Hosts half-way through removal.")
    dying: Since = Field(
        default_factory=dict, description="Hosts dead in EC2 that Rancher has not given up."
    )

    @property
    def has_servers(self) -> bool:
        """Whether an earlier run has seen Rancher's servers."""
        return bool(self.servers)


def note(
    seen: Collection[str], before: Mapping[str, datetime], now: datetime, most: int
) -> dict[str, datetime]:
    """Return since when each of `seen` is known; the newest are dropped when there are too many."""
    moment = now.replace(microsecond=0)
    known = {name: before.get(name, moment) for name in seen}
    return dict(_oldest(known.items(), most))


def _oldest(known: Iterable[tuple[str, datetime]], most: int) -> list[tuple[str, datetime]]:
    return sorted(known, key=lambda item: (item[1], item[0]))[:most]
