"""A flow that counts as one that changes a cluster, and does nothing but hold its turn."""

import time
from pathlib import Path

from prefect import flow

from corral.settings import load_cluster_spec
from tasks import connect
from tasks.turns import take_turn


@flow(name="configure-rancher")
def changing_flow(cluster: str, diary: str, until: str = "") -> None:
    """Take a turn until a file is there, and write down when it begins and ends."""
    take_turn(load_cluster_spec(cluster, connect.settings()))
    with Path(diary).open("a") as lines:
        lines.write("begins\n")
        lines.flush()
        while until and not Path(until).exists():
            time.sleep(0.05)
        lines.write("ends\n")
