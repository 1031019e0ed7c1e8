"""What a run that died may have made without writing it down, and how Terraform takes it back."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MARKS = ("Cluster", "Stack", "Pool")
"""Tags that say whose a resource is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A resource that the plan would create."""

    address: str
    type: str
    values: Mapping[str, Any] = field(repr=False)
    """Its attributes, as far as they are known before it is made; some are secret."""

    @property
    def tags(self) -> dict[str, str]:
        """All tags that it would carry."""
        return {name: str(value) for name, value in (self.values.get("tags_all") or {}).items()}

    @property
    def marks(self) -> dict[str, str]:
        """The tags that say whose it is."""
        return {name: value for name, value in self.tags.items() if name in MARKS}

    def knows(self, *names: str) -> bool:
        """Whether these attributes are known already."""
        return all(self.values.get(name) is not None for name in names)


@dataclass(frozen=True, slots=True)
class Found:
    """What AWS has in the place of a resource that the plan would create."""

    id: str
    """As Terraform's import wants it."""
    is_ours: bool
    identity: Mapping[str, str] = field(default_factory=dict)
    """What else names it in AWS, as a change's identity does."""


Finder = Callable[[Wanted], Found | None]


def find_wanted(document: Mapping[str, Any]) -> tuple[Wanted, ...]:
    """Return what a plan would create.

    Args:
        document: The plan's JSON, as `terraform show -json` gives it.

    """
    return tuple(
        Wanted(entry["address"], entry["type"], entry["change"].get("after") or {})
        for entry in document.get("resource_changes", [])
        if entry["change"]["actions"] == ["create"] and entry.get("mode", "managed") == "managed"
    )


def find_recorded(document: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """Return type and id of everything that the state holds already."""
    root = document.get("prior_state", {}).get("values", {}).get("root_module", {})
    return frozenset(
        (each["type"], str(each.get("values", {}).get("id", "")))
        for each in root.get("resources", [])
        if each.get("mode") == "managed"
    )


def import_blocks(ids: Mapping[str, str]) -> str:
    """Return Terraform's code that takes resources into the state, by their addresses."""
    blocks = [
        f"import {{\n  to = {address}\n  id = {_literal(id_)}\n}}\n" for address, id_ in ids.items()
    ]
    return "\n".join(blocks)


def _literal(text: str) -> str:
    return json.dumps(text).replace("${", "$${").replace("%{", "%%{")
