"""One build whose runs die at each of its stages; a last run brings it to its end.

A chained history of a single build, since a build takes minutes.
"""

import signal
from dataclasses import dataclass

from tests.lab.harness import Started
from tests.lab.stage import Stage

FLOW = "flows.build_cluster.build_cluster"
STAGE_S = 300.0


@dataclass(frozen=True)
class Death:
    """How one run of the history ends: at the first line that matches, by this signal."""

    at: str
    line: str
    by: signal.Signals = signal.SIGKILL


HISTORY = [
    Death("vpc", r"apply-lab/vpc.*aws_vpc\S*: creating"),
    Death("security-groups", r"apply-lab/security-groups.*: creating"),
    Death("database plan", r"apply-lab/database.*reading"),
    Death("database", r"aws_db_instance\S*: still creating", signal.SIGTERM),
    Death("control-plane", r"aws_lb\.\S*: still creating"),
    Death("first server", r"served by 1: "),
    Death("access control", r"administrator.s key: created"),
    Death("all servers", r"served by 3: "),
    Death("environments", r"environment lab: created"),
    Death("host pools", r"apply-lab/host-pool/\S*.*aws_sqs_queue\S*: creating"),
    Death("hosts", r"terraform output of lab/host-pool/"),
]


def build_with_deaths(stage: Stage) -> Started:
    """Return the last run, the one that nobody killed."""
    for number, death in enumerate(HISTORY):
        run = stage.run_flow(FLOW, f"build-{number}-{death.at.replace(' ', '-')}", cluster="lab")
        run.wait_for_line(death.line, STAGE_S)
        _end(stage, run, death)
    last = stage.run_flow(FLOW, "build-last", cluster="lab")
    assert last.wait(STAGE_S) == 0, last.tail
    return last


def _end(stage: Stage, run: Started, death: Death) -> None:
    if death.by is signal.SIGKILL:
        run.kill()
        return
    run.terminate(seconds=40)
    assert stage.locks() == [], "a run that is told to stop leaves no lock behind"
