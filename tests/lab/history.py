"""One build whose runs die at some of its stages; a last run brings it to its end.

A chained history of a single build, since a build takes minutes.
"""

import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from tests.lab.harness import Started
from tests.lab.stage import BUILD, Stage

STAGE_S = 600.0


@dataclass(frozen=True)
class Death:
    """How one run of the history ends: at the first line that matches, by this signal."""

    at: str
    line: str
    by: signal.Signals = signal.SIGKILL
    with_terraform: bool = False
    """Whether Terraform dies at the same moment, as it does with the machine."""


# The first of these every time, all of them at night: each costs a run that begins anew.
DEATHS = [
    Death("database", r"aws_db_instance\S*: still creating", with_terraform=True),
    Death("load balancer", r"aws_lb\.\S*: still creating", signal.SIGTERM),
    Death("access control", r"administrator.s key: created"),
    Death("report", r"stack crontab of environment lab: (created|kept)"),
]
DEATHS_AT_NIGHT = [
    Death("vpc", r"apply-lab/vpc.*aws_vpc\S*: creating"),
    Death("security groups", r"apply-lab/security-groups.*: creating"),
    *DEATHS[:2],
    Death("first server", r"served by 1: "),
    DEATHS[2],
    Death("all servers", r"served by 3: "),
    Death("environments", r"environment lab: created"),
    Death("host pools", r"apply-lab/host-pool/\S*.*aws_sqs_queue\S*: creating"),
    Death("hosts", r"terraform output of lab/host-pool/"),
    Death("catalog stacks", r"POST /v2-beta/projects/\S+/stacks: done"),
    DEATHS[3],
]


def build_with_deaths(stage: Stage, deaths: Iterable[Death]) -> Started:
    """Return the last run, the one that nobody killed."""
    log = "build"
    for death in deaths:
        run = stage.run_flow(BUILD, log, cluster="lab")
        run.wait_for_line(death.line, STAGE_S)
        _end(stage, run, death)
        log = log_after(death.at)
    last = stage.run_flow(BUILD, log, cluster="lab")
    assert last.wait(STAGE_S) == 0, last.tail
    return last


def log_after(death: str) -> str:
    """Return the name of the log of the run that found what a death had left."""
    return f"build-after-{death.replace(' ', '-')}"


def _end(stage: Stage, run: Started, death: Death) -> None:
    if death.with_terraform:
        _kill_all(run)
        assert stage.locks() == ["lab/database.tfstate.tflock"], "nobody was there to unlock"
        return
    if death.by is signal.SIGKILL:
        run.kill()
        return
    run.terminate(seconds=40)
    assert stage.locks() == [], "a run that is told to stop leaves no lock behind"


def _kill_all(run: Started) -> None:
    """End a run and all that it started without a word, the run first: it must not see it."""
    children = psutil.Process(run.process.pid).children(recursive=True)
    run.kill()
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(children, timeout=STAGE_S)
