"""What a container is started from, and what its process does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Spec:
    """What `docker run` was told."""

    image: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    restart: str = "no"
    ports: tuple[str, ...] = ()
    privileged: bool = False

    @property
    def restarts_always(self) -> bool:
        """Say whether it is started again however it ended."""
        return self.restart in ("always", "unless-stopped")


Say = Callable[[str], None]
"""Takes a line of a container's log."""


class Workload(Protocol):
    """What a container's process does, from one start to its end."""

    async def run(self, say: Say) -> int:
        """Run until it ends by itself and return the exit code."""
        ...

    async def end(self, *, orderly: bool) -> None:
        """Be stopped, or die."""
        ...


Start = Callable[[Spec], Workload]
"""Makes the workload of a container, each time that it starts."""
