"""Which problems are told to whom, once each: problems and what is open in, steps out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

ROLL_UP_FROM = 5


class Severity(StrEnum):
    """How bad a problem is, in PagerDuty's words."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class Action(StrEnum):
    """What is told."""

    OPEN = "open"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a person should know.

    `kind` says what sort it is, `scope` where (an environment, a pool, a flow), `subject` of what
    (a host, an instance); the last two may be empty.
    """

    kind: str
    scope: str
    subject: str
    severity: Severity
    title: str
    text: str

    def key(self, cluster: str) -> str:
        """Return the name of the problem that stays the same as long as it lasts."""
        return key_of(cluster, self.kind, self.scope, self.subject)


class OpenAlert(BaseModel):
    """An alert that somebody was told of, or is to be told of; what is kept between runs.

    `subject` is None for a roll-up, which stands for all subjects of its kind and scope.
    `delivered` are the channels that think it open. `closing` says that its problem is gone, but
    not every channel knows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    kind: str
    scope: str
    subject: str | None
    severity: Severity
    title: str
    text: str
    since: AwareDatetime
    delivered: tuple[str, ...] = ()
    closing: bool = False


@dataclass(frozen=True, slots=True)
class AlertStep:
    """One alert to open or to resolve, and the channels to tell.

    There may be nobody to tell: then the step is only to be remembered. `quietly` are channels
    that may have heard of the opening although the delivery failed; those of them that keep
    incidents are to be told of the end as well.
    """

    alert: OpenAlert
    action: Action
    channels: tuple[str, ...]
    quietly: tuple[str, ...] = ()

    def remember(self, told: Collection[str]) -> OpenAlert | None:
        """Return what is to be kept, once these of its channels are told; None if nothing."""
        raise NotImplementedError


def key_of(cluster: str, kind: str, scope: str = "", subject: str = "") -> str:
    """Return the stable name of a problem, as `corral/lab/stuck/main/1h5`."""
    return "/".join(part for part in ("corral", cluster, kind, scope, subject) if part)


def plan_alerts(  # noqa: PLR0913 - the tail by keyword
    cluster: str,
    problems: Sequence[Problem],
    open_alerts: Sequence[OpenAlert],
    *,
    settled: Collection[str],
    channels: Sequence[str],
    now: datetime,
    roll_up_from: int = ROLL_UP_FROM,
) -> list[AlertStep]:
    """Return what has to be told to whom, so that everybody hears of each problem once.

    Args:
        cluster: Name of the cluster, a part of every key.
        problems: What is wrong now.
        open_alerts: What earlier runs have told.
        settled: The kinds that this run could judge: of those, what is no problem now is over.
        channels: Names of all channels.
        now: When the problems were found.
        roll_up_from: So many new subjects of one kind and scope are still told one by one.
    """
    raise NotImplementedError
