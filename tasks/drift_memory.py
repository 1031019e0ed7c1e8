"""When each stack was last looked at; a Prefect that does not answer stops nothing."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from corral.domain.drift import Looks
from tasks.memory import PrefectUnavailableError, memory_of

log = logging.getLogger(f"corral.{__name__}")


def in_order(cluster: str, stacks: Sequence[str]) -> list[str]:
    """Return the names of stacks, the one first that nobody looked at for longest."""
    try:
        with memory_of(cluster) as memory:
            return memory.looks().in_order(stacks)
    except PrefectUnavailableError as error:
        log.warning("looking at stacks in the order of the build: %s", error)
        return list(stacks)


def note_look(cluster: str, stack: str, stacks: Sequence[str]) -> None:
    """Write down that a look at a stack begins.

    Args:
        cluster: Name of the cluster.
        stack: Name of the stack.
        stacks: All that there are now; the others are forgotten.

    """
    try:
        with memory_of(cluster) as memory:
            known: Looks = memory.looks()
            memory.keep_looks(known.with_look(stack, datetime.now(UTC), stacks))
    except PrefectUnavailableError as error:
        log.warning("the next run will not know that %s was looked at: %s", stack, error)
