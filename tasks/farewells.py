"""Ends the incidents that machines opened about themselves and cannot end any more.

A machine that could not take its host along tells people so, and dies. Chat services hear nothing
of the end: nobody there waits for it.
"""

import logging
from collections.abc import Sequence

from corral.clients.alerts import resolve_quietly
from corral.clients.rancher.removal import Outcome, OutcomeKind
from corral.cluster import ClusterSpec
from corral.domain.alerts import key_of
from corral.domain.herd import Removal
from corral.domain.hosts import ENVIRONMENT_LABEL
from corral.domain.steps import Move
from corral.errors import AlertError
from tasks import connect
from tasks.alerts import channels

log = logging.getLogger(f"corral.{__name__}")

LEAVE = "leave"
"""Kind of the problem that a machine could not take its host along, as `node/` calls it."""
MOST = 20
"""Incidents that are ended in one run: PagerDuty takes 120 calls a minute.

Source: PagerDuty developer documentation, Events API v2, "Rate limits".
"""


def end_incidents_of_machines(
    spec: ClusterSpec, removals: Sequence[Removal], outcomes: Sequence[Outcome]
) -> None:
    """End what machines may have told of hosts that are gone now; what cannot be ended stays."""
    keys = find_incidents(removals, outcomes)[:MOST]
    found, _ = channels(spec) if keys else ([], [])
    for channel in found:
        try:
            for key in keys:
                resolve_quietly(channel, key, pagerduty_url=connect.settings().pagerduty_url)
        except AlertError as error:
            log.warning("incidents of machines that are gone may stay open: %s", error)


def find_incidents(removals: Sequence[Removal], outcomes: Sequence[Outcome]) -> list[str]:
    """Return the keys of incidents about hosts that are gone and that somebody else began with.

    Nobody had begun with a host that could still be deactivated, so its machine told nothing.
    """
    gone = {outcome.host_id for outcome in outcomes if outcome.kind is OutcomeKind.REMOVED}
    return [
        key_of(host.labels.get(ENVIRONMENT_LABEL, ""), LEAVE, subject=removal.instance_id)
        for removal in removals
        if (host := removal.host).id in gone and Move.DEACTIVATE not in host.actions
    ]
