"""Takes the steps of alerts: writes each down, tells it, and writes down who was told.

A run that dies after a channel was told, and before that was written down, tells it once more in
the next run; one that dies anywhere else tells nothing twice and forgets nothing.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from corral.clients.alerts import Channel
from corral.domain.alerts import AlertStep, OpenAlert, Problem, plan_alerts
from corral.errors import AlertError
from tasks.memory import NotKeptError

log = logging.getLogger(f"corral.{__name__}")

OTHERS_TELL = timedelta(minutes=1)
"""How long a run waits while another tells people; two at once would tell everything twice."""

PATIENCE_S = 20.0
"""Seconds of failures after which a channel is asked no more in this run."""

RUN = "run"

FOUND_ONCE = frozenset({RUN})
"""Kinds of problems that no later run finds again: every run tells whom it could not be told."""


class Memory(Protocol):
    """Where open alerts are kept between runs."""

    def alerts(self) -> list[OpenAlert]:
        """Return the alerts that are open or not yet closed everywhere."""

    def keep(self, alert: OpenAlert) -> None:
        """Write an alert down, new or not; raises NotKeptError if it is not taken."""

    def forget(self, alert: OpenAlert) -> None:
        """Remove an alert that is over for everybody; raises NotKeptError if that is refused."""

    def turn(self, wait: timedelta) -> AbstractContextManager[bool]:
        """Be the only run that tells people of this cluster; False if another is."""


class Crier:
    """Tells one run's problems, and what earlier runs could not tell."""

    def __init__(
        self,
        cluster: str,
        names: Sequence[str],
        *,
        find: Callable[[], tuple[list[Channel], list[str]]],
        deliver: Callable[[Channel, AlertStep], None],
        resolve_quietly: Callable[[Channel, str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what to tell with.

        Args:
            cluster: Name of the cluster.
            names: Names of all its channels.
            find: Returns the channels that can be reached, and a sentence for each other; asked
                only when there is something to tell.
            deliver: Tells one channel of one step.
            resolve_quietly: Ends an incident of this key where incidents are kept.
            clock: Gives seconds.

        """
        self._cluster = cluster
        self._names = names
        self._find = find
        self._deliver = deliver
        self._resolve_quietly = resolve_quietly
        self._clock = clock
        self._channels: Mapping[str, Channel] = {}
        self._failures: dict[str, str] = {}
        self._lost_s: dict[str, float] = {}

    def tell(
        self, memory: Memory, problems: Sequence[Problem], settled: Collection[str]
    ) -> list[str]:
        """Tell what is to be told; return a sentence for each channel that is not told all."""
        if not self._plan(memory, problems, settled):
            return []
        with memory.turn(OTHERS_TELL) as is_ours:
            if not is_ours:
                return ["Another run tells people of this cluster: the next run tells the rest."]
            found, missing = self._find()
            self._channels = {channel.name: channel for channel in found}
            # What the other run told while this one waited is not told again.
            for step in self._plan(memory, problems, settled):
                self._take(memory, step)
        return [*missing, *self._failures.values()]

    def _plan(
        self, memory: Memory, problems: Sequence[Problem], settled: Collection[str]
    ) -> list[AlertStep]:
        """Return what is to be told, by what is known at this moment.

        Problems that no run finds again are still there, until a run settles them by their scope.
        """
        known = memory.alerts()
        again = {problem.key(self._cluster) for problem in problems}
        over = [alert for alert in known if _is_settled(alert, settled)]
        ours = [alert for alert in over if alert.key not in again]
        others = [alert for alert in known if alert not in ours]
        lasting = [_problem(alert) for alert in others if alert.kind in FOUND_ONCE]
        return [
            *self._plan_for([*problems, *lasting], others, settled),
            *self._plan_for((), ours, {alert.kind for alert in ours}),
        ]

    def _plan_for(
        self, problems: Sequence[Problem], known: Sequence[OpenAlert], settled: Collection[str]
    ) -> list[AlertStep]:
        now = datetime.now(UTC)
        return plan_alerts(
            self._cluster, problems, known, settled=settled, channels=self._names, now=now
        )

    def _take(self, memory: Memory, step: AlertStep) -> None:
        """Tell everybody of one step, and write down who was told as soon as they were.

        What cannot be kept is told to nobody: every run would tell it again.
        """
        try:
            self._tell_all(memory, step)
        except NotKeptError as error:
            self._failures.setdefault(step.alert.key, str(error))

    def _tell_all(self, memory: Memory, step: AlertStep) -> None:
        told: list[str] = []
        for name in step.quietly:
            self._reaches(name, partial(self._end, step))
        _write(memory, step, told)
        for name in step.channels:
            if self._reaches(name, partial(self._say, step)):
                told.append(name)
                _write(memory, step, told)

    def _reaches(self, name: str, send: Callable[[Channel], None]) -> bool:
        """Say whether a channel could be told; one that took too long to fail is left alone."""
        channel = self._channels.get(name)
        lost_s = self._lost_s.get(name, 0.0)
        if channel is None or lost_s >= PATIENCE_S:
            return False
        begin = self._clock()
        try:
            send(channel)
        except AlertError as error:
            self._lost_s[name] = lost_s + self._clock() - begin
            self._failures.setdefault(name, str(error))
            return False
        return True

    def _say(self, step: AlertStep, channel: Channel) -> None:
        self._deliver(channel, step)
        log.info("told %s: %s %s", channel.name, step.action, step.alert.key)

    def _end(self, step: AlertStep, channel: Channel) -> None:
        self._resolve_quietly(channel, step.alert.key)


def _is_settled(alert: OpenAlert, settled: Collection[str]) -> bool:
    """Say whether an alert is over because of its scope, or because it was once already."""
    narrow = f"{alert.kind}/{alert.scope}" in settled
    return narrow or (alert.kind in FOUND_ONCE and alert.closing)


def _problem(alert: OpenAlert) -> Problem:
    return Problem(
        alert.kind, alert.scope, alert.subject or "", alert.severity, alert.title, alert.text
    )


def _write(memory: Memory, step: AlertStep, told: Collection[str]) -> None:
    kept = step.remember(told)
    if kept is None:
        memory.forget(step.alert)
    else:
        memory.keep(kept)
