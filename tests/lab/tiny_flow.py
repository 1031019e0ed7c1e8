"""A flow that does nothing but find its turn."""

import time
from datetime import timedelta
from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks.turns import find_reason_to_skip


@flow(name="tiny-flow")
def tiny_flow(
    cluster: str,
    hold_s: float = 0,
    until: Path | None = None,
    longest_s: float = 600,
    late_s: float = 300,
) -> State[str]:
    """Take a turn for so many seconds, or until a file is there."""
    reason = find_reason_to_skip(
        "tiny-flow",
        cluster,
        late_after=timedelta(seconds=late_s),
        alone=True,
        longest=timedelta(seconds=longest_s),
    )
    if reason:
        return Completed(name="Skipped", message=reason, data=reason)
    over = time.monotonic() + hold_s
    while time.monotonic() < over and not (until and until.exists()):
        time.sleep(0.05)
    return Completed(message="It was my turn.", data="")
