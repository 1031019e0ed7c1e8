"""How long a reconcile takes that finds everything in order, from its deployment."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from statistics import median

import requests

from benchmarks.figures import Figure
from benchmarks.herd.double import open_double
from tests.lab.stage import Stage, serve_prefect

HOSTS = 100
RUNS = 3
RUN_S = 120.0
DEPLOYMENT = "reconcile-hosts/lab"


def measure_unchanged(folder: Path) -> list[Figure]:
    """Run the deployment some times, with a real server and a real worker."""
    with open_double(folder) as double, serve_prefect(folder) as prefect:
        double.seed(HOSTS, phantoms=0)
        stage = Stage(double.environment | prefect, {}, folder)
        with stage.worker():
            seconds = [_run(stage, number) for number in range(RUNS)]
    made_of = "".join(f"{one:.2f} s, " for one in seconds) + "median"
    return [Figure(f"a run that finds {HOSTS} hosts in order", median(seconds), 2, " s", made_of)]


def _run(stage: Stage, number: int) -> float:
    """Return for how long the flow itself ran, by Prefect."""
    run = stage.run("deployment", "run", DEPLOYMENT, "--watch", log=f"run-{number}")
    if run.wait(RUN_S):
        raise RuntimeError(run.tail)
    newest = _newest_run(stage)
    if newest["state_name"] != "InStep":
        raise RuntimeError(f"the run ended as {newest['state_name']}: {newest['state']}")
    begin, end = (datetime.fromisoformat(newest[key]) for key in ("start_time", "end_time"))
    return (end - begin).total_seconds()


def _newest_run(stage: Stage) -> Mapping[str, str]:
    answer = requests.post(
        f"{stage.environment['PREFECT_API_URL']}/flow_runs/filter",
        json={"sort": "START_TIME_DESC", "limit": 1},
        timeout=30,
    )
    answer.raise_for_status()
    newest: Mapping[str, str] = answer.json()[0]
    return newest
