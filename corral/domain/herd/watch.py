"""What one run of the reconcile has to tell the next: since when something is so."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

# Together they stay below 4500 characters of JSON: Prefect keeps 5000 in a variable.
MOST_SERVERS = 12
MOST_MOVING = 80
MOST_DYING = 30

Since = dict[str, AwareDatetime]


class Watch(BaseModel):
    """Since when something is known, by ids.

    Nothing in it lets a host be removed: with a lost watch, alerts come later.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    servers: Since = Field(default_factory=dict, description="Rancher's servers, `id address`.")
    moving: Since = Field(default_factory=dict, description="Hosts half-way through removal.")
    dying: Since = Field(
        default_factory=dict, description="Hosts dead in EC2 that Rancher has not given up."
    )

    def follow(
        self,
        *,
        servers: Iterable[str],
        moving: Iterable[str],
        dying: Iterable[str],
        now: datetime,
        long_ago: datetime,
    ) -> "Watch":
        """Return what is to be known after these were seen.

        Args:
            servers: Rancher's servers; none if nobody asked, which changes nothing.
            moving: Hosts half-way through removal.
            dying: Hosts dead in EC2 that Rancher has not given up.
            now: When they were seen.
            long_ago: Since when servers run that are the first ever seen: nobody knows it.
        """
        first_seen = now if self.servers else long_ago
        return Watch(
            servers=_follow(servers, self.servers, first_seen, MOST_SERVERS) or self.servers,
            moving=_follow(moving, self.moving, now, MOST_MOVING),
            dying=_follow(dying, self.dying, now, MOST_DYING),
        )


def _follow(seen: Iterable[str], before: Since, first_seen: datetime, most: int) -> Since:
    """Return since when each of `seen` is known; of too many, the newest are dropped."""
    moment = first_seen.replace(microsecond=0)
    known = [(name, before.get(name, moment)) for name in seen]
    return dict(sorted(known, key=lambda item: (item[1], item[0]))[:most])
