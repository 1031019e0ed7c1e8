"""The stacks that environments are run by: which are upgraded with Rancher, and in which order."""

from collections.abc import Collection, Iterable
from typing import Final

from corral.domain.set_up.catalog import SCHEME, TemplateVersion, find_misfit
from corral.domain.set_up.stacks import KnownStack
from corral.domain.set_up.steps import is_gone

FIRST_STACKS: Final = ("network-policy-manager", "network-services", "ipsec")
"""Templates that are upgraded before all others, in this order.

Source: Rancher 1.6 documentation, upgrading Rancher, infrastructure services.
"""

UNMANAGED: Final = "none"
"""The setting `upgrade.manager` of those who want no stack upgraded but by themselves."""


def order_stacks(stacks: Iterable[KnownStack]) -> list[KnownStack]:
    """Return an environment's infrastructure stacks in the order of their upgrade."""
    return sorted(stacks, key=lambda stack: (_rank(stack), stack.name))


def is_upgradable(stack: KnownStack, pinned: Collection[str]) -> bool:
    """Say whether a stack is the environment's, from a catalog, and free to be upgraded.

    Args:
        stack: As Rancher shows it.
        pinned: Names of stacks whose version the cluster file says.

    """
    return (
        stack.is_infrastructure
        and stack.external_id.startswith(SCHEME)
        and not is_gone(stack.state)
        and stack.name not in pinned
    )


def template_of(stack: KnownStack) -> str:
    """Return the template that a stack came from, as `library:infra*ipsec`."""
    return stack.external_id.removeprefix(SCHEME).rpartition(":")[0]


def find_dead_end(stack: KnownStack, current: TemplateVersion, target: str) -> str:
    """Return why a stack would be left behind by a new version of Rancher; "" if it would not.

    Some versions of a template may only follow certain others: one that was skipped is missing.

    Source: rancher/rancher-catalog, `upgrade_from` and `maximum_rancher_version`.
    """
    misfit = find_misfit(template_of(stack), current, target)
    if not misfit or current.upgrade:
        return ""
    return (
        f"the stack {stack.name}: {misfit}, and no version for {target} may follow it: upgrade it"
        " step by step first, with a version of Rancher between"
    )


def _rank(stack: KnownStack) -> int:
    name = template_of(stack).rpartition("*")[2]
    return FIRST_STACKS.index(name) if name in FIRST_STACKS else len(FIRST_STACKS)
