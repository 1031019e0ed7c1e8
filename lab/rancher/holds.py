"""Keeps processes from ending, as a fault of the lab says: `process host.remove` for one.

A process that hangs is what operators meet most (rancher: issues 2647, 5839, 5953, 6619, 7122); the
row stays in the state that it has while the process runs.
"""

import time
from dataclasses import dataclass

from lab.rancher.rendering import REFERENCES
from lab.rancher.rows import Row
from lab.world import World


@dataclass(frozen=True, slots=True)
class _Hold:
    """One process of one row that may not end before a time, unless the faults are cleared."""

    until: float
    clearings: int


class Holds:
    """Which processes of which rows are held up."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._holds: dict[tuple[str, str, int], _Hold] = {}

    def holds(self, base: str, process: str, row: Row) -> bool:
        """Say whether a process that could end now has to wait.

        A fault holds it for its `delay_s`, in real seconds, or until the faults are cleared. It is
        matched with the operation `process host.remove`, the row's `id`, such as 1h5, and `name`.
        """
        faults = self._world.faults
        key = (base, process, row.id)
        hold = self._holds.get(key)
        if hold is not None and hold.clearings == faults.clearings:
            if time.monotonic() < hold.until:
                return True
            del self._holds[key]
            return False
        self._holds.pop(key, None)
        attributes = {"id": f"{REFERENCES.get(base, '')}{row.id}", "name": row.name}
        effect = faults.take("rancher", f"process {base}.{process}", attributes)
        if effect is None:
            return False
        self._holds[key] = _Hold(time.monotonic() + effect.delay_s, faults.clearings)
        return True
