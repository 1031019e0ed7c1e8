"""How fast corral builds: against a plain loop of Terraform, in one run on one machine."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import requests

from benchmarks.figures import Figure, ratio
from benchmarks.loop import PlainLoop
from corral.clients.terraform import find_engine
from corral.clients.terraform.mirror import source_for, write_configuration
from corral.domain.stacks import HostPool
from corral.settings import PROJECT, Settings, load_cluster_spec
from tests.lab.harness import Started
from tests.lab.stage import Stage, set_stage

FLOW = "flows.build_cluster.build_cluster"
BUILD_S = 1800.0
APPLY = "apply-lab/"


def measure_build(folder: Path) -> list[Figure]:
    """Build, and build again, with corral and with the loop, each on a lab of its own."""
    with _staged(folder / "ours") as stage:
        first, second = _run(stage, "first"), _run(stage, "second")
    with _staged(folder / "theirs") as stage:
        loop = _loop(stage)
        stage.client("s3").create_bucket(Bucket=loop.spec.aws.state_bucket)
        applied, planned = loop.apply(), loop.plan()
    return [
        ratio("Terraform part of a build", first.terraform_part_s, applied, 0.80),
        ratio("Terraform part of an unchanged re-run", second.terraform_part_s, planned, 0.60),
        Figure("what is added to one stack, the worst", second.worst_overhead_s, 1.5, " s"),
    ]


def _staged(folder: Path) -> AbstractContextManager[Stage]:
    folder.mkdir(parents=True)
    return set_stage(folder)


@dataclass(frozen=True)
class Run:
    """One run of the flow: when each stack's task began and ended, and its Terraform's seconds."""

    tasks: Mapping[str, tuple[datetime, datetime]]
    engine_s: Mapping[str, float]

    @property
    def terraform_part_s(self) -> float:
        """Time in which stacks were worked on; pools run side by side."""
        pools = [span for name, span in self.tasks.items() if name.startswith(HostPool.folder)]
        others = [span for name, span in self.tasks.items() if not name.startswith(HostPool.folder)]
        alone = sum((end - begin).total_seconds() for begin, end in others)
        return (
            alone
            + (max(end for _, end in pools) - min(begin for begin, _ in pools)).total_seconds()
        )

    @property
    def worst_overhead_s(self) -> float:
        """What Prefect and corral added to Terraform's own time, for stacks that ran alone."""
        return max(
            (end - begin).total_seconds() - self.engine_s[name]
            for name, (begin, end) in self.tasks.items()
            if not name.startswith(HostPool.folder)
        )


def run_build(stage: Stage, name: str) -> Started:
    """Build the lab's cluster, or confirm it, and return the run, which has ended well."""
    run = stage.run_flow(FLOW, name, cluster="lab")
    if run.wait(BUILD_S):
        raise RuntimeError(run.tail)
    return run


def _run(stage: Stage, name: str) -> Run:
    run = run_build(stage, name)
    return Run(_tasks(stage), _engine_seconds(run))


def _tasks(stage: Stage) -> dict[str, tuple[datetime, datetime]]:
    """Return when the newest task of each stack ran."""
    answer = requests.post(
        f"{stage.environment['PREFECT_API_URL']}/task_runs/filter",
        json={"sort": "END_TIME_DESC"},
        timeout=30,
    )
    rows: Sequence[Mapping[str, str]] = answer.json()
    newest: dict[str, tuple[datetime, datetime]] = {}
    for row in rows:
        if row["name"].startswith(APPLY) and row["end_time"]:
            span = tuple(datetime.fromisoformat(row[key]) for key in ("start_time", "end_time"))
            newest.setdefault(row["name"].removeprefix(APPLY), (span[0], span[1]))
    return newest


def _engine_seconds(run: Started) -> dict[str, float]:
    """Return how long Terraform itself ran for each stack, by the run's own log."""
    seconds: dict[str, float] = {}
    pattern = r"terraform \w+ of lab/(\S+): exit code \d, ([\d.]+) s"
    for name, took in re.findall(pattern, run.text):
        seconds[name] = seconds.get(name, 0.0) + float(took)
    return seconds


def _loop(stage: Stage) -> PlainLoop:
    settings = Settings()
    engine = find_engine(settings.terraform, settings.work_dir)
    source = source_for(engine, settings)
    environment = dict(stage.environment)
    if configuration := write_configuration(source, stage.folder):
        environment["TF_CLI_CONFIG_FILE"] = str(configuration)
    if source.needs_cache:
        plugins = stage.folder / "plugins"
        plugins.mkdir(exist_ok=True)
        environment["TF_PLUGIN_CACHE_DIR"] = str(plugins)
        environment["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "true"
    return PlainLoop(
        engine.path,
        load_cluster_spec("lab", settings),
        PROJECT / "terraform",
        stage.folder / "loop",
        environment,
    )
