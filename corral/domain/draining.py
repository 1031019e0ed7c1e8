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
_DEAD = frozenset({"shutting-down", "terminated"})
_RUNNING = "running"
_DISCONNECTED = "disconnected"


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
    return Standing.DEAD if instance.state in _DEAD else Standing.STAYING


def find_objection(host: Host, standing: Standing, instance: Instance | None) -> str:
    """Return why a host is not to be removed although its machine leaves; "" if it may be.

    A label is only what the host says of itself: an address that contradicts it wins. That a
    machine which no group ends any more is dead takes a second witness, the silent agent.
    """
    if instance and instance.private_ip and host.address not in ("", instance.private_ip):
        return (
            f"host {host.id} at {host.address} calls itself {instance.id}, whose address is"
            f" {instance.private_ip}: correct its label {INSTANCE_LABEL}, or remove it by hand."
        )
    if standing is not Standing.LEAVING and host.agent_state != _DISCONNECTED:
        return (
            f"host {host.id} is left alone while its agent is {host.agent_state}: AWS says that"
            f" {host.instance_id} is {standing}, and the agent has to be disconnected as well."
        )
    return ""


def can_move_containers(host: Host, instance: Instance | None) -> bool:
    """Tell whether the machine still lives and listens, so that waiting for containers helps."""
    runs = instance is not None and instance.state == _RUNNING
    return runs and host.agent_state != _DISCONNECTED


def find_stranger(instance: Instance | None, cluster: str, pool: str) -> str:
    """Return why a machine that AWS takes back is none of a pool's to evacuate; "" if it is one."""
    if instance is None:
        return "EC2 does not know it"
    if (instance.cluster, instance.pool) != (cluster, pool):
        return f"it is no machine of pool {pool}"
    return "" if instance.state == _RUNNING else f"it is {instance.state} already"
