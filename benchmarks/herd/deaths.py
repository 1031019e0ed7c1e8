"""How long a host outlives its machine: heard of by an event, and found by a scan."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.build import run_build
from benchmarks.figures import Figure
from flows.reconcile_hosts import PERIOD
from tests.lab.harness import wait_until
from tests.lab.stage import Stage, set_stage

TIME_SCALE = 4
"""Small, since the flows' own seconds are real ones, and count here as so many of the lab."""
DRAIN = "flows.drain_hosts.drain_hosts"
PATROL = "benchmarks.herd.patrol.patrol"
POOL = "celery"
"""Its group starts a new machine for each that ends here."""
EVENT_S = 30.0
LISTEN_S = 30.0
START_S = 120.0
END_S = 300.0
LOOK_S = 0.02

Row = Mapping[str, Any]


def measure_deaths(folder: Path) -> list[Figure]:
    """Build a cluster; end one of its machines as its group does, and another without a word."""
    with set_stage(folder, TIME_SCALE) as stage:
        run_build(stage, "build")
        return [_by_event(stage), _by_scan(stage)]


def _by_event(stage: Stage) -> Figure:
    drain = stage.run_flow(DRAIN, "drain", cluster="lab", listen_s=LISTEN_S)
    drain.wait_for_line("listening to", START_S)
    host = _choose_host(stage)
    stage.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=host["labels"]["aws.instance_id"], ShouldDecrementDesiredCapacity=False
    )
    gone_s = _Watch(stage, host["id"]).wait_until_gone()
    if drain.wait(LISTEN_S + START_S):
        raise RuntimeError(drain.tail)
    return Figure("from death to gone, by event", gone_s, EVENT_S, " s of the lab")


def _by_scan(stage: Stage) -> Figure:
    """Let it die just after a run of the schedule has looked."""
    period_s = PERIOD.total_seconds()
    host = _choose_host(stage)
    patrol = stage.run_flow(PATROL, "patrol", cluster="lab", period_s=period_s / TIME_SCALE)
    patrol.wait_for_line("Finished in state InStep", START_S)
    stage.lever("POST", f"/instances/{host['labels']['aws.instance_id']}/crash")
    watch = _Watch(stage, host["id"])
    gone_s = watch.wait_until_gone()
    patrol.terminate()
    made_of = f"Rancher waits {watch.disconnected_s:.0f} s, a period is {period_s:.0f} s,"
    limit_s = watch.disconnected_s + period_s
    return Figure("from death to gone, by scan", gone_s, limit_s, " s of the lab", made_of)


@dataclass
class _Watch:
    """Looks at one host from its machine's death on, in seconds of the lab."""

    stage: Stage
    host_id: str
    began: float = field(default_factory=time.monotonic)
    disconnected_s: float = 0.0
    """When Rancher gave the agent up, by its own time-outs."""

    @property
    def seconds(self) -> float:
        return (time.monotonic() - self.began) * TIME_SCALE

    def wait_until_gone(self) -> float:
        """Return when the host was out of Rancher."""
        until = time.monotonic() + END_S
        while time.monotonic() < until:
            row = _rows(self.stage)[self.host_id]
            if row["removed"]:
                return self.seconds
            if row["agentState"] == "disconnected" and not self.disconnected_s:
                self.disconnected_s = self.seconds
            time.sleep(LOOK_S)
        raise TimeoutError(f"host {self.host_id} is still there after {END_S:.0f} s")


def _rows(stage: Stage) -> Mapping[str, Row]:
    return {row["id"]: row for row in stage.lever("GET", "/hosts")}


def _choose_host(stage: Stage) -> Row:
    """Return a host of the pool that is well, as soon as there is one."""

    def find() -> Row | None:
        well = (
            row
            for row in _rows(stage).values()
            if row["labels"].get("role") == POOL
            and (row["state"], row["agentState"]) == ("active", "active")
        )
        return next(well, None)

    found: Row = wait_until(find, START_S, f"a healthy host of {POOL}")
    return found
