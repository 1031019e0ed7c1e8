"""Ends the incidents that machines opened about themselves and cannot end any more.

A machine that could not take its host along tells people so, and dies. Chat services hear nothing
of the end: nobody there waits for it.
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from corral.clients.alerts import Channel, resolve_quietly
from corral.clients.rancher.removal import Outcome, OutcomeKind
from corral.cluster import ClusterSpec
from corral.domain.herd import Removal
from corral.domain.hosts import ENVIRONMENT_LABEL
from corral.domain.incidents import find_incidents
from corral.errors import AlertError
from tasks import connect
from tasks.alerts import channels

log = logging.getLogger(f"corral.{__name__}")

LONGEST_S = 120.0
"""Seconds that one run takes for this. A channel takes two events a second, and a host has two.

Source: PagerDuty developer documentation, Events API v2, "Rate limits".
"""
PATIENCE_S = 20.0
"""Seconds of failures after which a channel is asked no more in this run."""


def end_incidents_of_machines(
    spec: ClusterSpec, removals: Sequence[Removal], outcomes: Sequence[Outcome]
) -> None:
    """End what machines may have told of hosts that a reconcile removed."""
    end_incidents(spec, find_incidents(gone_of(removals, outcomes)))


def gone_of(removals: Sequence[Removal], outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
    """Return environment and instance of each host that is gone, whatever state it was in."""
    gone = {outcome.host_id for outcome in outcomes if outcome.kind is OutcomeKind.REMOVED}
    return [
        (removal.host.labels.get(ENVIRONMENT_LABEL, ""), removal.instance_id)
        for removal in removals
        if removal.host.id in gone
    ]


def end_incidents(spec: ClusterSpec, keys: Sequence[str]) -> None:
    """End incidents where they are kept, in the order of their keys; what cannot be ended stays."""
    found, _ = channels(spec) if keys else ([], [])
    until = time.monotonic() + LONGEST_S
    end = partial(resolve_quietly, pagerduty_url=connect.settings().pagerduty_url)
    for channel in found:
        left = end_all(channel, keys, end, until=until)
        if left:
            log.warning("%s may keep incidents of machines that are gone: %s", channel.name, left)


def end_all(
    channel: Channel,
    keys: Sequence[str],
    end: Callable[[Channel, str], None],
    *,
    until: float,
    clock: Callable[[], float] = time.monotonic,
) -> list[str]:
    """Return the keys of the incidents that could not be ended; one of them stops no other.

    Args:
        channel: Where incidents may be kept.
        keys: Of the incidents.
        end: Ends one, or raises AlertError.
        until: When to stop, by the clock.
        clock: Seconds, ever growing.

    """
    failed: list[str] = []
    lost_s = 0.0
    for number, key in enumerate(keys):
        begun = clock()
        if begun >= until or lost_s >= PATIENCE_S:
            return [*failed, *keys[number:]]
        try:
            end(channel, key)
        except AlertError as error:
            log.info("%s is not ended: %s", key, error)
            failed.append(key)
            lost_s += clock() - begun
    return failed
