"""Which incidents a machine may have opened about itself; they outlive it, unless they are ended.

It tells people in the name of its environment, not of its cluster.
"""

from collections.abc import Iterable

from corral.domain.alerts import key_of

LEAVE = "leave"
"""Kind of the problem that a machine could not take its host along, as `node/` calls it."""
JOIN = "join"
"""Kind of the problem that a machine did not become a host in time, as `node/` calls it."""


def find_incidents(machines: Iterable[tuple[str, str]]) -> list[str]:
    """Return the keys of what machines may have told of themselves, the likelier ones first.

    Args:
        machines: Environment and instance id of each; those that lack one told nothing.

    """
    known = [machine for machine in dict.fromkeys(machines) if all(machine)]
    return [
        key_of(environment, kind, subject=instance_id)
        for kind in (LEAVE, JOIN)
        for environment, instance_id in known
    ]
