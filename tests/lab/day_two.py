"""A second stage, whose cluster lives through later days: rolled, scaled, upgraded, restored.

Built once and without a death, of an older release and with fewer pools.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab.stage import Stage, set_stage

FIRST_VERSION = "v1.6.29"
POOLS = ("web", "crawler")


@contextmanager
def set_day_two(folder: Path) -> Iterator[Stage]:
    """Run a lab and a Prefect server, and build a small cluster there."""
    with set_stage(folder) as stage:
        stage.edit(_make_small_and_old)
        stage.build("build")
        yield stage


def _make_small_and_old(content: dict[str, Any]) -> None:
    content["rancher"]["version"] = FIRST_VERSION
    content["pools"] = [pool for pool in content["pools"] if pool["name"] in POOLS]
