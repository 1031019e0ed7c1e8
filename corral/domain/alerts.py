"""Which problems are told to whom, once each: problems and what is open in, steps out."""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import accumulate
from operator import attrgetter

from pydantic import AwareDatetime, BaseModel, ConfigDict

ROLL_UP_FROM = 5

EVERYTHING = "*"
"""What stands for the subject in the key of a roll-up."""

# An alert is kept as JSON in a variable of Prefect, which takes 5000 bytes; these are bytes too.
MOST_OF_ALERT = 4500
MOST_OF_TITLE = 300
MOST_OF_TEXT = 1500


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
    (a host, an instance); the last two may be empty. One that does not `open` says only that what
    was told may still be so: it keeps an alert open, and opens none.
    """

    kind: str
    scope: str
    subject: str
    severity: Severity
    title: str
    text: str
    opens: bool = True

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
        """Return what is to be kept once these channels were told of it; None if nothing is left.

        Args:
            told: Those of the step's channels that were told with success.
        """
        if self.action is Action.OPEN:
            known = dict.fromkeys((*self.alert.delivered, *told))
            return self.alert.model_copy(update={"delivered": tuple(known)})
        left = tuple(name for name in self.channels if name not in told)
        return self.alert.model_copy(update={"delivered": left}) if left else None


def key_of(cluster: str, kind: str, scope: str = "", subject: str = "") -> str:
    """Return the stable name of a problem, as `corral/lab/stuck/main/1h5`."""
    return "/".join(part for part in ("corral", cluster, kind, scope, subject) if part)


def plan_alerts(
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

    Who could not be told is tried again by the next run that finds the problem, or its end. Alerts
    of kinds that this run cannot judge are left alone: another flow may be telling them.

    Args:
        cluster: Name of the cluster, a part of every key.
        problems: What is wrong now.
        open_alerts: What earlier runs have told.
        settled: The kinds that this run could judge: of those, what is no problem now is over.
        channels: Names of all channels.
        now: When the problems were found.
        roll_up_from: So many new subjects of one kind and scope are still told one by one.
    """
    known = {alert.key: alert for alert in open_alerts}
    wanted = _wanted(cluster, problems, known, now, roll_up_from)
    over = [alert for key, alert in known.items() if key not in wanted and alert.kind in settled]
    new = (_fitted(alert, channels) for alert in wanted.values())
    openings = (_opening(alert, known, channels) for alert in new)
    return [step for step in openings if step] + [_resolution(alert, channels) for alert in over]


def _wanted(
    cluster: str,
    problems: Iterable[Problem],
    known: Mapping[str, OpenAlert],
    now: datetime,
    roll_up_from: int,
) -> dict[str, OpenAlert]:
    """Return by key the alerts that the problems need, those that are open already as they are."""
    alerts: dict[str, OpenAlert] = {}
    for (kind, scope), group in _grouped(problems).items():
        roll_up = key_of(cluster, kind, scope, EVERYTHING)
        single = {p.key(cluster): p for p in sorted(group, key=attrgetter("opens"))}
        others = [problem for key, problem in single.items() if key not in known]
        new = [problem for problem in others if problem.opens]
        alerts |= {
            key: _reopened(known[key])
            for key, problem in single.items()
            if problem.opens or _is_open(known.get(key))
            if key in known
        }
        if (others and _is_open(known.get(roll_up))) or len(new) > roll_up_from:
            alerts[roll_up] = _reopened(known.get(roll_up) or _rolled_up(roll_up, new, now))
            continue
        alerts |= {problem.key(cluster): _alert(cluster, problem, now) for problem in new}
    return alerts


def _grouped(problems: Iterable[Problem]) -> Mapping[tuple[str, str], list[Problem]]:
    groups = defaultdict(list)
    for problem in problems:
        groups[problem.kind, problem.scope].append(problem)
    return groups


def _is_open(alert: OpenAlert | None) -> bool:
    return alert is not None and not alert.closing


def _reopened(alert: OpenAlert) -> OpenAlert:
    return alert.model_copy(update={"closing": False}) if alert.closing else alert


def _opening(
    alert: OpenAlert, known: Mapping[str, OpenAlert], channels: Sequence[str]
) -> AlertStep | None:
    """Return whom to tell that an alert is open; None if all know and it is remembered so."""
    ignorant = tuple(name for name in channels if name not in alert.delivered)
    if not ignorant and known.get(alert.key) == alert:
        return None
    return AlertStep(alert, Action.OPEN, ignorant)


def _resolution(alert: OpenAlert, channels: Sequence[str]) -> AlertStep:
    told = tuple(name for name in channels if name in alert.delivered)
    # While an alert closes, who is not among the delivered has heard of the end already.
    unsure = () if alert.closing else tuple(name for name in channels if name not in told)
    closing = alert.model_copy(update={"closing": True, "delivered": told})
    return AlertStep(closing, Action.RESOLVE, told, quietly=unsure)


def _alert(cluster: str, problem: Problem, now: datetime) -> OpenAlert:
    return OpenAlert(
        key=problem.key(cluster),
        kind=problem.kind,
        scope=problem.scope,
        subject=problem.subject,
        severity=problem.severity,
        title=_cut(problem.title, MOST_OF_TITLE),
        text=_cut(problem.text, MOST_OF_TEXT),
        since=now,
    )


def _rolled_up(key: str, problems: Sequence[Problem], now: datetime) -> OpenAlert:
    """Return one alert for many problems of one kind and scope; it says the worst severity."""
    first = problems[0]
    title = f"{len(problems)} problems of one kind ({first.kind}): {first.title}, and so on"
    return OpenAlert(
        key=key,
        kind=first.kind,
        scope=first.scope,
        subject=None,
        severity=max((problem.severity for problem in problems), key=list(Severity).index),
        title=_cut(title, MOST_OF_TITLE),
        text=_cut("\n".join(f"- {problem.text}" for problem in problems), MOST_OF_TEXT),
        since=now,
    )


def _fitted(alert: OpenAlert, channels: Sequence[str]) -> OpenAlert:
    """Return an alert that can be kept, whatever it says, also once all channels are told."""
    everybody = tuple(dict.fromkeys((*alert.delivered, *channels)))
    bare = alert.model_copy(update={"text": "", "delivered": everybody})
    left = MOST_OF_ALERT - len(bare.model_dump_json().encode())
    return alert.model_copy(update={"text": _cut(alert.text, left)})


def _cut(text: str, most: int) -> str:
    """Return the beginning of a text that takes so many bytes of JSON, and can be written."""
    sound = text[: most + 1].encode(errors="replace").decode()
    if _length(sound) <= most:
        return sound
    ends = list(accumulate(map(_length, sound)))
    return f"{sound[: bisect_right(ends, most - 3)]}..."


def _length(text: str) -> int:
    """Return how many bytes of JSON a text takes, without its quotes."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2
