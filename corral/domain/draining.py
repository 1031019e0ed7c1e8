"""Whether a machine really leaves, and what may be done to its host: what was read in, answers out.

A message says that a machine leaves; nothing here believes it before group or EC2 say so too.
"""

from enum import StrEnum

from corral.domain.herd import Instance
from corral.domain.hosts import Host
from corral.domain.lifecycle import Termination


class Standing(StrEnum):
    """What group and EC2 say of a machine that a message calls leaving."""

    LEAVING = "leaving"
    """Its group is terminating it."""
    DEAD = "dead"
    """No group has it any more, and EC2 says that it is terminated or shutting down."""
    UNKNOWN = "unknown"
    """No group has it any more, and EC2 does not know it either."""
    STAYING = "staying"
    """Anything else: nothing is done to its host."""


def judge_standing(
    news: Termination, membership: tuple[str, str] | None, instance: Instance | None
) -> Standing:
    """Return how the machine of a message stands.

    Args:
        news: What the message says.
        membership: Group and lifecycle state of the instance; None if no group has it.
        instance: The instance as EC2 lists it; None if it does not.

    """
    raise NotImplementedError(news, membership, instance)


def find_objection(host: Host, standing: Standing, instance: Instance | None) -> str:
    """Return why a host is not to be removed although its machine leaves; "" if it is."""
    raise NotImplementedError(host, standing, instance)
