"""A Prefect server, a worker and somebody who listens, without a lab and without a cluster."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import requests
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import FlowRun, State
from prefect.events.worker import EventsWorker
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW,
    temporary_settings,
)

from tests.lab.harness import PREFECT, STOP_S, Started, wait_until

START_S = 400.0
RUN_S = 240.0


@dataclass
class Ears:
    """A chat that keeps what it is told, and an AWS that never answers."""

    told: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def listen(self) -> Iterator[str]:
        """Yield an Apprise URL that leads here."""
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"json://127.0.0.1:{server.server_port}/"
        server.shutdown()

    def wait_for(self, words: str, seconds: float = RUN_S) -> dict[str, Any]:
        """Return the first message with these words."""

        def look() -> dict[str, Any] | None:
            return next((told for told in self.told if words in json.dumps(told)), None)

        message: dict[str, Any] = wait_until(look, seconds, f"somebody is told {words!r}")
        return message


@dataclass
class PrefectAlone:
    """A server, what runs talk to, and whatever was started for it."""

    environment: dict[str, str]
    folder: Path
    ears: Ears
    started: list[Started] = field(default_factory=list)

    def run(self, *command: str, log: str) -> Started:
        """Run a command of Prefect."""
        process = Started.start([*PREFECT, *command], self.environment, self.folder / f"{log}.log")
        self.started.append(process)
        return process

    @contextmanager
    def settings(self) -> Iterator[None]:
        """Let this process talk to the server as well."""
        mine = {
            PREFECT_API_URL: self.environment["PREFECT_API_URL"],
            PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore",
        }
        with temporary_settings(mine):
            yield

    @contextmanager
    def worker(self) -> Iterator[psutil.Process]:
        worker = self.run("worker", "start", "--pool", "corral", log="worker")
        try:
            yield psutil.Process(worker.process.pid)
        finally:
            worker.terminate()

    def client(self) -> SyncPrefectClient:
        return SyncPrefectClient(self.environment["PREFECT_API_URL"])

    def state(self, run: FlowRun) -> State[Any]:
        with self.client() as client:
            state = client.read_flow_run(run.id).state
        assert state
        return state

    def wait_for_state(self, run: FlowRun, name: str, seconds: float = RUN_S) -> State[Any]:
        """Return a run's state once it has this name; a run that ended otherwise is a failure."""
        state = self.wait_for(run, lambda state: state.name == name or state.is_final(), seconds)
        assert state.name == name, state
        return state

    def wait_for_end(self, run: FlowRun, seconds: float = RUN_S) -> State[Any]:
        return self.wait_for(run, lambda state: state.is_final(), seconds)

    def wait_for(
        self, run: FlowRun, is_right: Callable[[State[Any]], bool], seconds: float
    ) -> State[Any]:
        def look() -> State[Any] | None:
            state = self.state(run)
            return state if is_right(state) else None

        found: State[Any] = wait_until(look, seconds, f"{run.name} gets there")
        return found

    def wait_for_report(self, run: FlowRun, seconds: float = RUN_S) -> FlowRun:
        """Return the run of report-crash that was started for a run, once it has ended."""

        def look() -> FlowRun | None:
            with self.client() as client:
                runs = client.read_flow_runs(
                    flow_filter=FlowFilter(name=FlowFilterName(any_=["report-crash"]))
                )
            ended = (one for one in runs if one.state and one.state.is_final())
            return next((one for one in ended if one.parameters == {"run_id": str(run.id)}), None)

        report: FlowRun = wait_until(look, seconds, f"the end of {run.name} is reported")
        return report


@contextmanager
def prefect_alone(folder: Path) -> Iterator[PrefectAlone]:
    """Run a server with a work pool."""
    ears = Ears()
    with socket.create_server(("127.0.0.1", 0)) as deaf, ears.listen() as chat:
        environment = {
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": f"http://127.0.0.1:{_free_port()}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            # With a machine that is busy with other tests, its answers may take their time.
            "PREFECT_API_REQUEST_TIMEOUT": str(RUN_S),
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "CORRAL_WORK_DIR": str(folder / "work"),
            "CORRAL_ALERT_URLS": json.dumps({"pagerduty": chat, "chat": chat}),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{deaf.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "lab",
            "AWS_SECRET_ACCESS_KEY": "lab",
        }
        there = PrefectAlone(os.environ | environment, folder, ears)
        api = environment["PREFECT_API_URL"]
        port = api.rpartition(":")[2].removesuffix("/api")
        server = there.run("server", "start", "--host", "127.0.0.1", "--port", port, log="server")
        try:
            wait_until(lambda: _answers(api), START_S, "Prefect answers")
            pool = there.run("work-pool", "create", "corral", "--type", "process", log="pool")
            assert pool.wait(START_S) == 0, pool.tail
            yield there
        finally:
            for process in reversed(there.started):
                if process is not server:
                    process.terminate()
            EventsWorker.drain_all(STOP_S)  # what this process has to say, while somebody hears it
            server.terminate(STOP_S)


def kill_runs(worker: psutil.Process) -> None:
    """End the processes of a worker's runs without a word."""
    for child in worker.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(api: str) -> bool:
    try:
        return requests.get(f"{api}/health", timeout=2).ok
    except requests.RequestException:
        return False
