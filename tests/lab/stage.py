"""One lab, one Prefect server and one cluster file, and what tests of whole flows do with them."""

import json
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import requests
import yaml
from prefect.concurrency.services import ConcurrencySlotAcquisitionWithLeaseService

from corral.settings import PROJECT
from lab.ready import Ready
from tests.lab.harness import PREFECT, STOP_S, Started, flow_command, wait_until

BUILD = "flows.build_cluster.build_cluster"
CLUSTER_FILE = PROJECT / "deployments" / "clusters" / "lab.yaml"
LAB_UP = [sys.executable, "-m", "lab", "up"]
# Those of dev and prod have schedules, and would run beside the tests.
DEPLOY = ["--no-prompt", "deploy", "--name", "lab", "--name", "all"]
TIME_SCALE = 20
START_S = 400
FLOW_S = 900.0

READING = ("Describe", "Get", "List", "Head", "GET", "HEAD", "Lookup")
LOCKING = ("PutObject", "DeleteObject")

Edit = Callable[[dict[str, Any]], object]


@dataclass
class Stage:
    """Where everything is that a test of a whole flow needs."""

    environment: dict[str, str]
    ready: dict[str, Any]
    folder: Path
    started: list[Started] = field(default_factory=list)

    @property
    def work_dir(self) -> Path:
        return Path(self.environment["CORRAL_WORK_DIR"])

    @property
    def file(self) -> Path:
        """The file of the cluster `lab`, a copy of its own."""
        return Path(self.environment["CORRAL_CLUSTERS_DIR"]) / CLUSTER_FILE.name

    def edit(self, change: Edit) -> None:
        """Change the cluster file: the function gets its content, and may change it in place."""
        content = yaml.safe_load(self.file.read_text())
        change(content)
        self.file.write_text(yaml.safe_dump(content, sort_keys=False))

    @contextmanager
    def edited(self, change: Edit) -> Iterator[None]:
        """Change the cluster file, and put back what was in it."""
        before = self.file.read_text()
        self.edit(change)
        try:
            yield
        finally:
            self.file.write_text(before)

    def client(self, service: str) -> Any:
        client: Any = boto3.client  # its stubs know literal names only
        return client(
            service,
            endpoint_url=self.ready["aws_endpoint"],
            region_name="us-east-1",
            aws_access_key_id="lab",
            aws_secret_access_key="lab",
        )

    def run_flow(self, flow: str, log: str, **parameters: Any) -> Started:
        """Run a flow in a process of its own."""
        return self._start(flow_command(flow, **parameters), log)

    def finish(self, flow: str, log: str, **parameters: Any) -> Started:
        """Run a flow of the cluster to its good end."""
        run = self.run_flow(flow, log, cluster="lab", **parameters)
        assert run.wait(FLOW_S) == 0, run.tail
        return run

    def refuse(self, flow: str, log: str, **parameters: Any) -> Started:
        """Run a flow of the cluster to a bad end."""
        run = self.run_flow(flow, log, cluster="lab", **parameters)
        assert run.wait(FLOW_S) != 0, run.tail
        return run

    def build(self, log: str, **parameters: Any) -> Started:
        return self.finish(BUILD, log, **parameters)

    def run(self, *command: str, log: str) -> Started:
        return self._start([*PREFECT, *command], log)

    def _start(self, command: list[str], log: str) -> Started:
        process = Started.start(command, self.environment, self.folder / f"{log}.log")
        self.started.append(process)
        return process

    def clear(self) -> None:
        """End whatever is left of what was started, the newest first."""
        for process in reversed(self.started):
            process.terminate()

    @contextmanager
    def worker(self) -> Iterator[None]:
        """Deploy prefect.yaml and run a worker for it, as the README does."""
        self.run("work-pool", "create", "corral", "--type", "process", log="pool").wait(START_S)
        deploy = self.run(*DEPLOY, log="deploy")
        assert deploy.wait(START_S) == 0, deploy.tail
        worker = self.run("worker", "start", "--pool", "corral", log="worker")
        try:
            yield
        finally:
            worker.terminate()

    def lever(self, method: str, path: str, **body: Any) -> Any:
        answer = requests.request(
            method, self.ready["control_url"] + path, json=body or None, timeout=30
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def writes(self) -> list[tuple[str, int]]:
        """Return every call that was no reading one, and how often it came, by the journal.

        What the S3 backend does to lock a state is left out.
        """
        return sorted(
            (row["operation"], row["count"])
            for row in self.lever("GET", "/journal")
            if row["target"] in ("aws", "rancher")
            and not row["operation"].startswith(READING)
            and row["operation"] not in LOCKING
        )

    def locks(self) -> list[str]:
        """Return the keys of the lock objects in every state bucket."""
        s3 = self.client("s3")
        buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        pages = [s3.list_objects_v2(Bucket=bucket).get("Contents", []) for bucket in buckets]
        return [
            entry["Key"] for page in pages for entry in page if entry["Key"].endswith(".tflock")
        ]


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@contextmanager
def set_stage(folder: Path, time_scale: float = TIME_SCALE) -> Iterator[Stage]:
    """Run a lab and a Prefect server, both as processes of their own."""
    ready_file = folder / "ready.json"
    lab = Started.start(
        [*LAB_UP, "--ready-file", str(ready_file), "--time-scale", str(time_scale)],
        os.environ,
        folder / "lab.log",
    )
    try:
        with serve_prefect(folder) as prefect:
            wait_until(ready_file.exists, START_S, "the lab is ready")
            ready = json.loads(ready_file.read_text())
            clusters = folder / "clusters"
            clusters.mkdir()
            shutil.copy(CLUSTER_FILE, clusters)
            own = {
                "CORRAL_WORK_DIR": str(folder / "work"),
                "CORRAL_CLUSTERS_DIR": str(clusters),
                "PYTHONUNBUFFERED": "1",
            }
            exports = Ready.read(ready_file).exports()
            stage = Stage(os.environ | prefect | own | exports, ready, folder)
            try:
                yield stage
            finally:
                stage.clear()
    finally:
        lab.terminate()


@contextmanager
def serve_prefect(folder: Path) -> Iterator[dict[str, str]]:
    """Run a Prefect server as a process of its own, and yield the environment that leads to it."""
    port = _free_port()
    prefect = {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "corral",
    }
    server = Started.start(
        [*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", port],
        os.environ | prefect,
        folder / "server.log",
    )
    try:
        wait_until(lambda: _answers(prefect["PREFECT_API_URL"]), START_S, "Prefect answers")
        yield prefect
    finally:
        # What waits for a turn in this process is kept for good, with a client of this server.
        ConcurrencySlotAcquisitionWithLeaseService.drain_all(STOP_S, at_exit=False)
        server.terminate()


def _answers(api: str) -> bool:
    try:
        return requests.get(f"{api}/health", timeout=2).ok
    except requests.RequestException:
        return False
