"""The stacks that an environment asks for: those of its list, and the one that renews ECR's."""

from collections.abc import Mapping
from dataclasses import dataclass

from corral.cluster import EcrRegistry, Environment
from corral.cluster.furnishing_rules import REFRESHER
from corral.domain.set_up.catalog import ECR_TEMPLATE


@dataclass(frozen=True, slots=True)
class StackRequest:
    """A stack as it is asked for; `version` None is the newest that fits the server.

    `secret` is the name of a secret with further answers.
    """

    name: str
    template: str
    version: str | None
    answers: Mapping[str, str]
    secret: str | None
    infrastructure: bool


def requests_of(environment: Environment) -> list[StackRequest]:
    """Return the stacks that an environment shall have, what others may need first."""
    listed = [
        StackRequest(
            name=stack.name,
            template=stack.template,
            version=stack.version,
            answers=stack.answers,
            secret=stack.secret,
            infrastructure=stack.infrastructure,
        )
        for stack in environment.stacks
    ]
    refreshed = (one for one in environment.registries if isinstance(one, EcrRegistry))
    return [*map(_refresher, filter(is_renewed_by_stack, refreshed)), *listed]


def is_renewed_by_stack(registry: object) -> bool:
    """Say whether Rancher's own stack looks after a registry, and makes it."""
    return isinstance(registry, EcrRegistry) and registry.refresher == "stack"


def is_renewed_by_flow(registry: object) -> bool:
    """Say whether the flow renew-registries looks after a registry's log-in."""
    return isinstance(registry, EcrRegistry) and registry.refresher == "flow"


def region_of(address: str) -> str:
    """Return the region in an address of ECR: <account>.dkr.ecr.<region>.amazonaws.com."""
    return address.split(".")[3]


def _refresher(registry: EcrRegistry) -> StackRequest:
    """Return the stack that makes the registry of its own account, and renews its password.

    It asks AWS with the keys in the registry's secret; without one as the role of the host that it
    runs on, where its container can take it.

    Source: rancher/rancher-catalog, infra-templates/ecr.
    """
    return StackRequest(
        name=REFRESHER,
        template=ECR_TEMPLATE,
        version=None,
        answers={"aws_region": region_of(registry.address), "auto_create": "true"},
        secret=registry.secret,
        infrastructure=True,
    )
