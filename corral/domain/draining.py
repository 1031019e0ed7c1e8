"""Whether a machine really leaves, and what may be done to its host: what was read in, answers out.

A message says that a machine leaves; nothing here believes it before its group or EC2 say so too.
"""

import re
from datetime import datetime, timedelta
from enum import StrEnum

from corral.domain.herd import Instance
from corral.domain.herd.matching import Matching
from corral.domain.hosts import INSTANCE_LABEL, Host
from corral.domain.lifecycle import SpotWarning, Termination

# Source: Auto Scaling user guide, "Amazon EC2 Auto Scaling instance lifecycle": Terminating,
# Terminating:Wait, Terminating:Proceed, Terminated. A warm pool's begin with Warmed.
_LEAVING = "Terminat"

TERMINATE = "terminate"
WARNED_BEFORE = timedelta(minutes=2)
"""How long before its end a spot machine is warned. Source: EC2 user guide, "Spot Instance
interruption notices"."""
BELIEVED_FOR = timedelta(minutes=3)
"""A spot warning that is older makes nobody act: its machine is gone, or was not taken back."""
TRUE_WITHIN = WARNED_BEFORE + timedelta(minutes=3)
"""A machine that still runs so long after its spot warning is not taken back."""

# What EC2 calls a machine; people's own names say nothing about which machine it is.
# Source: EC2 user guide, "Amazon EC2 instance hostname types".
_NAME_BY_EC2 = re.compile(r"ip(?:-\d{1,3}){4}|i-[0-9a-f]+")

Membership = tuple[str, str] | None
"""Group and lifecycle state of an instance; None if no group has it."""


class Standing(StrEnum):
    """What group and EC2 say of a machine that a message calls leaving."""

    LEAVING = "leaving"
    """Its group is ending it."""
    DEAD = "dead"
    """No group has it any more, and EC2 says that it is terminated or shutting down."""
    UNKNOWN = "unknown"
    """No group has it any more, and EC2 does not know it either, which proves nothing."""
    STAYING = "staying"
    """Anything else: nothing is done to its host."""


def judge_standing(
    news: Termination, membership: Membership, instance: Instance | None
) -> Standing:
    """Return how the machine of a message stands.

    Args:
        news: What the message says.
        membership: Group and lifecycle state of the instance.
        instance: The instance as EC2 lists it; None if it does not.

    """
    if membership is not None:
        group, _ = membership
        is_leaving = group == news.group and _is_being_ended(membership)
        return Standing.LEAVING if is_leaving else Standing.STAYING
    if instance is None:
        return Standing.UNKNOWN
    return Standing.STAYING if instance.is_living else Standing.DEAD


def find_doubt(host: Host, matching: Matching, instance: Instance | None) -> str:
    """Return why a host with the label of a machine need not be its host; "" if it is.

    A label is only what a host says of itself: whatever else is known of the host must not speak
    against it. What is doubtful here, a reconcile reports, and never removes either.
    """
    match = matching.match(host)
    if match.misfit:
        return f"host {host.id} is {match.misfit}: {match.reason}"
    contradiction = _find_contradiction(host, instance) if instance else ""
    doubt = contradiction or matching.find_double(host)
    return f"host {host.id} is in doubt: {doubt}" if doubt else ""


def find_objection(host: Host, standing: Standing, instance: Instance | None) -> str:
    """Return why a host is not to be removed yet although its machine leaves; "" if it may be.

    An agent that answers for a machine which is dead keeps its host. Where the group is no witness
    any more, the agent is the second one: it must have been given up.
    """
    if instance and (contradiction := _find_contradiction(host, instance)):
        return contradiction
    is_dead = instance is None or not instance.is_living
    if standing is Standing.LEAVING:
        is_doubtful = is_dead and host.is_connected
    else:
        is_doubtful = not host.is_disconnected
    if is_doubtful:
        return (
            f"its agent is {host.agent_state}, although EC2 says that {host.instance_id} is"
            f" {instance.state if instance else 'not there'}"
        )
    return ""


def can_move_containers(host: Host, instance: Instance | None) -> bool:
    """Tell whether a machine still works and listens, so that containers can leave in order."""
    return instance is not None and instance.is_running and not host.is_disconnected


def find_reason_to_stay(
    news: SpotWarning,
    membership: Membership,
    instance: Instance | None,
    *,
    group: str,
    now: datetime,
) -> str:
    """Return why a spot warning is none for the hosts of a group; "" if it is one."""
    if news.action != TERMINATE:
        return f"it is to {news.action}, and comes back with its host"
    if now - news.time > BELIEVED_FOR:
        return f"its warning of {news.time:%Y-%m-%d %H:%M:%S} UTC is history"
    return _why_not_taken_back(instance) or _why_not_in(group, membership)


def is_spared(
    news: SpotWarning, membership: Membership, instance: Instance | None, *, group: str
) -> bool:
    """Say whether a machine that may have been out of service for a spot warning runs on.

    It may have left its group since.
    """
    if instance is None or not instance.is_running or _is_being_ended(membership):
        return False
    is_ours = membership is None or membership[0] == group
    return is_ours and instance.is_spot and news.action == TERMINATE


def is_decided(news: SpotWarning, now: datetime) -> bool:
    """Say whether it is late enough to see whether a spot warning has come true."""
    return now >= news.time + TRUE_WITHIN


def _why_not_taken_back(instance: Instance | None) -> str:
    if instance is None:
        return "EC2 does not know it"
    if not instance.is_spot:
        return "EC2 says that it is no spot instance"
    return "" if instance.is_running else f"it is {instance.state} already"


def _why_not_in(group: str, membership: Membership) -> str:
    if membership is None or membership[0] != group:
        return f"it is no machine of {group}"
    return f"{group} is ending it already" if _is_being_ended(membership) else ""


def _is_being_ended(membership: Membership) -> bool:
    return membership is not None and membership[1].startswith(_LEAVING)


def _find_contradiction(host: Host, instance: Instance) -> str:
    """Return in what a host is another machine than the instance that it says it is; "" if not."""
    if host.address and instance.private_ip and host.address != instance.private_ip:
        return (
            f"it is at {host.address} and calls itself {instance.id}, whose address is"
            f" {instance.private_ip}: correct its label {INSTANCE_LABEL}, or remove it by hand"
        )
    name, own = _short(host.hostname), _short(instance.private_dns)
    if own and _NAME_BY_EC2.fullmatch(name) and name not in (own, instance.id):
        return (
            f"it has the name {host.hostname} and calls itself {instance.id}, whose name is"
            f" {instance.private_dns}: correct its label {INSTANCE_LABEL}, or remove it by hand"
        )
    return ""


def _short(hostname: str) -> str:
    """Return a name without its domain, which some machines say and some do not."""
    return hostname.lower().partition(".")[0]
