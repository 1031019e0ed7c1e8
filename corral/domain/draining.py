"""Whether a machine really leaves, and what may be done to its host: what was read in, answers out.

A message says that a machine leaves; nothing here believes it before its group or EC2 say so too.
"""

from enum import StrEnum

from corral.domain.herd import Instance
from corral.domain.hosts import INSTANCE_LABEL, Host
from corral.domain.lifecycle import Termination

# Source: Auto Scaling user guide, "Amazon EC2 Auto Scaling instance lifecycle": Terminating,
# Terminating:Wait, Terminating:Proceed, Terminated. A warm pool's begin with Warmed.
_LEAVING = "Terminat"


class Standing(StrEnum):
    """What group and EC2 say of a machine that a message calls leaving."""

    LEAVING = "leaving"
    """Its group is ending it."""
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
    if membership is not None:
        group, state = membership
        is_leaving = group == news.group and state.startswith(_LEAVING)
        return Standing.LEAVING if is_leaving else Standing.STAYING
    if instance is None:
        return Standing.UNKNOWN
    return Standing.STAYING if instance.is_living else Standing.DEAD


def find_objection(host: Host, standing: Standing, instance: Instance | None) -> str:
    """Return why a host is not to be removed although its machine leaves; "" if it may be.

    A label is only what a host says of itself: an address that contradicts it wins, and so does an
    agent that answers for a machine which is dead. Where the group is no witness any more, the
    agent is the second one: it must have been given up.
    """
    if instance and instance.private_ip and host.address not in ("", instance.private_ip):
        return (
            f"host {host.id} at {host.address} calls itself {instance.id}, whose address is"
            f" {instance.private_ip}: correct its label {INSTANCE_LABEL}, or remove it by hand"
        )
    is_dead = instance is None or not instance.is_living
    if standing is Standing.LEAVING:
        is_doubtful = is_dead and host.is_connected
    else:
        is_doubtful = not host.is_disconnected
    if is_doubtful:
        return (
            f"host {host.id} is kept while its agent is {host.agent_state}, although EC2 says that"
            f" {host.instance_id} is {instance.state if instance else 'not there'}"
        )
    return ""


def can_move_containers(host: Host, instance: Instance | None) -> bool:
    """Tell whether a machine still works and listens, so that containers can leave in order."""
    return instance is not None and instance.is_running and not host.is_disconnected


def find_reason_to_stay(instance: Instance | None, cluster: str, pool: str) -> str:
    """Return why a spot warning is none for the hosts of a pool; "" if it is one."""
    if instance is None:
        return "EC2 does not know it"
    if (instance.cluster, instance.pool) != (cluster, pool):
        return f"it is no machine of {cluster}'s pool {pool}"
    return "" if instance.is_running else f"it is {instance.state} already"
