"""All types of resource the double knows."""

from collections.abc import Mapping
from typing import Final

from lab.rancher.schema import accounts, containers, hosts, registries, stacks, system
from lab.rancher.schema.shape import ResourceType

TYPES: Final[Mapping[str, ResourceType]] = {
    kind.name: kind
    for module in (accounts, containers, hosts, registries, stacks, system)
    for kind in vars(module).values()
    if isinstance(kind, ResourceType)
}

SPELLINGS: Final[Mapping[str, ResourceType]] = {
    spelling.lower(): kind
    for kind in TYPES.values()
    for spelling in (kind.name, kind.plural, kind.name + "s")
}
"""Types by all the ways a path may spell them: the case does not matter.

gdapi: DefaultApiRequestParser.java
"""
