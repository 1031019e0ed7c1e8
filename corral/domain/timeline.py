"""When the stages of a run began and ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Span:
    """One stage of a run; `outcome` is `done` or `failed`."""

    name: str
    begin: datetime
    end: datetime
    outcome: str

    @property
    def length(self) -> timedelta:
        """How long the stage took."""
        return self.end - self.begin
