"""What one run of the reconcile has to tell the next: since when something is so."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

# Together they stay below 4500 characters of JSON: Prefect keeps 5000 in a variable.
MOST_SERVERS = 12
MOST_MOVING = 60
MOST_DYING = 20
MOST_ABSENT = 20

LOOKS_IN_A_WINDOW = 4
"""How often at least one has to look while something has to last."""

Since = dict[str, AwareDatetime]


class Watch(BaseModel):
    """Since when something is known, by ids.

    With a lost watch, alerts and removals of what EC2 does not know come later.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    servers: Since = Field(default_factory=dict, description="Rancher's servers, `id address`.")
    moving: Since = Field(default_factory=dict, description="Hosts half-way through removal.")
    dying: Since = Field(
        default_factory=dict, description="Hosts dead in EC2 that Rancher has not given up."
    )
    absent: Since = Field(
        default_factory=dict, description="Hosts whose instance EC2 has not known in any look."
    )
    looked: AwareDatetime | None = Field(default=None, description="When absence was looked for.")

    def follow(
        self,
        *,
        servers: Iterable[str],
        moving: Iterable[str],
        dying: Iterable[str],
        absent: Iterable[str],
        now: datetime,
        quiet: timedelta,
        absence: timedelta,
    ) -> "Watch":
        """Return what is to be known after these were seen.

        Args:
            servers: Rancher's servers; none if nobody asked, which changes nothing.
            moving: Hosts half-way through removal.
            dying: Hosts dead in EC2 that Rancher has not given up.
            absent: Hosts whose instance EC2 does not know.
            now: When they were seen.
            quiet: How long servers count as new; the first ever seen do not, nobody knows them.
            absence: How long an absence has to last. Who did not look for a good part of it cannot
                say that it lasted.
        """
        first_seen = now if self.servers else now - quiet
        pause = now - self.looked if self.looked else absence
        steady = timedelta() <= pause <= absence / LOOKS_IN_A_WINDOW
        missed = list(absent)
        return Watch(
            servers=_follow(servers, self.servers, first_seen, now, MOST_SERVERS) or self.servers,
            moving=_follow(moving, self.moving, now, now, MOST_MOVING),
            dying=_follow(dying, self.dying, now, now, MOST_DYING),
            absent=_follow(missed, self.absent if steady else {}, now, now, MOST_ABSENT),
            looked=now.replace(microsecond=0) if missed else None,
        )

    def without_absence(self) -> "Watch":
        """Return the same after a look that was not to be believed: no absence has lasted."""
        return self.model_copy(update={"absent": {}, "looked": None})


def _follow(
    seen: Iterable[str], before: Since, first_seen: datetime, now: datetime, most: int
) -> Since:
    """Return since when each of `seen` is known; of too many, the newest are dropped.

    What is known since a later time than now was written down by a clock that was ahead.
    """
    since = {name: min(before.get(name, first_seen), now) for name in seen}
    known = [(name, moment.replace(microsecond=0)) for name, moment in since.items()]
    return dict(sorted(known, key=lambda item: (item[1], item[0]))[:most])
