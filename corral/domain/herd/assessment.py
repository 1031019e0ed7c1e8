"""From what was read to what is to be done; nothing here does it."""

from collections.abc import Iterable, Sequence

from corral.domain.herd.instances import Instance
from corral.domain.herd.verdicts import Assessment, Removal
from corral.domain.herd.view import Rule, View
from corral.domain.herd.watch import Watch
from corral.domain.hosts import Host


def find_absent(hosts: Iterable[Host], instances: Iterable[Instance]) -> frozenset[str]:
    """Return the labelled instance ids that EC2's list does not have.

    The groups' records, and EC2 by id, are to be asked for them before anything is judged.
    """
    raise NotImplementedError


def find_missing(view: View, rule: Rule) -> Sequence[Instance]:
    """Return the pools' instances without a host, of which the groups have to be asked."""
    raise NotImplementedError


def assess(view: View, rule: Rule, watch: Watch) -> Assessment:
    """Return what is to be said and done about the herd."""
    raise NotImplementedError


def may_still_be_removed(removal: Removal, fresh: Host | None, instance: Instance | None) -> str:
    """Return why a removal is cancelled after a second look; empty if it may go on."""
    raise NotImplementedError
