"""What a stack's state holds: what a later run can know without asking Terraform."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack as its last run left it; empty if it never had one."""

    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    """Of each resource that Terraform looks after, by its address, as `aws_subnet.public["a"]`."""
    outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Terraform writes them last, and takes them away first."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left that Terraform looks after."""
        return not self.attributes
