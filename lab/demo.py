"""The whole of corral on one machine: the lab, a Prefect server, a worker, a build, a report.

Everything is started as a user would start it, by the commands of the README, and ends with it.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, cast

import psutil
import requests

from lab.demo_herd import HerdError, show_herd
from lab.ready import Ready
from lab.summary import print_herd, print_summary

PROJECT = Path(__file__).resolve().parent.parent
HOME = PROJECT / ".corral" / "demo"
PREFECT = [sys.executable, "-m", "prefect"]
POOL = "corral"
CLUSTER = "lab"
FORMATS = "PREFECT_LOGGING_FORMATTERS_STANDARD"
START_S = 180.0
BUILD_S = 3600.0
STOP_S = 30.0
TALK_EVERY_S = 10.0


class DemoError(Exception):
    """A step of the demo went wrong; the message says which, and where its log is."""


def say(text: str) -> None:
    """Print one line of the story with the time of day."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def demo(*, stay: bool, time_scale: float) -> int:
    """Do everything, print what happens, and return the exit code of the process."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as running:
            running.enter_context(_alone())
            environment, ready = _start(running, time_scale)
            _build(environment)
            if not stay:
                _run_deployment(environment, "configure-rancher")
                _sort_out_the_herd(ready, environment)
            print_summary(ready, environment["PREFECT_API_URL"], time.monotonic() - began)
            if stay:
                _stay(environment)
    except (DemoError, HerdError) as error:
        say(f"failed: {error}")
        return 1
    except KeyboardInterrupt:
        say("stopped.")
        return 0 if stay else 130
    say("everything that was started is stopped.")
    return 0


@contextmanager
def _alone() -> Iterator[None]:
    """Empty our folder, unless another demo lives in it."""
    HOME.parent.mkdir(parents=True, exist_ok=True)
    with (HOME.parent / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError("another demo or lab runs from this folder: end it first") from None
        shutil.rmtree(HOME, ignore_errors=True)
        HOME.mkdir()
        yield


def _start(running: ExitStack, time_scale: float) -> tuple[dict[str, str], Ready]:
    environment = _surroundings()
    ready_file = HOME / "lab.json"
    say("starting the lab: a stand-in for AWS, with machines that boot and a Rancher on them")
    lab = [sys.executable, "-m", "lab", "up", "--ready-file", str(ready_file)]
    process = running.enter_context(
        _started("lab", [*lab, "--time-scale", str(time_scale)], environment)
    )
    _wait_for("the lab", ready_file.exists, process)
    ready = Ready.read(ready_file)
    environment |= ready.exports() | _prefect_settings()
    say(f"the lab is up: AWS answers at {ready.aws_endpoint}, its lever is {ready.control_url}")

    say("starting a Prefect server; the first start takes half a minute")
    port = environment["PREFECT_SERVER_API_PORT"]
    server = [*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", port]
    process = running.enter_context(_started("prefect-server", server, environment))
    _wait_for("Prefect's server", lambda: _answers(environment["PREFECT_API_URL"]), process)
    say(f"Prefect's UI is at {_ui(environment)}")

    say("making the work pool, deploying what prefect.yaml has for the lab, starting a worker")
    _run("work-pool", [*PREFECT, "work-pool", "create", POOL, "--type", "process"], environment)
    _run(
        "deploy",
        [*PREFECT, "--no-prompt", "deploy", "--name", CLUSTER, "--name", "all"],
        environment,
    )
    worker = [*PREFECT, "worker", "start", "--pool", POOL]
    running.enter_context(_started("worker", worker, environment, echo=True))
    return environment, ready


def _build(environment: Mapping[str, str]) -> None:
    command = [*PREFECT, "deployment", "run", "build-cluster/lab", "--watch"]
    say("$ prefect deployment run build-cluster/lab --watch")
    say("building takes about six minutes: the AWS provider waits between its looks at AWS")
    _run("build", command, environment, seconds=BUILD_S)


def _sort_out_the_herd(ready: Ready, environment: Mapping[str, str]) -> None:
    show_herd(ready, say, partial(_run_deployment, environment))
    print_herd(environment["PREFECT_API_URL"])


def _run_deployment(environment: Mapping[str, str], flow: str, *parameters: str) -> None:
    given = [word for parameter in parameters for word in ("--param", parameter)]
    command = [*PREFECT, "deployment", "run", f"{flow}/{CLUSTER}", "--watch", *given]
    say(f"$ prefect {' '.join(command[len(PREFECT) :])}")
    _run(flow, command, environment)


def _stay(environment: Mapping[str, str]) -> None:
    say(f"the cluster stays up; Prefect's UI is at {_ui(environment)}; Ctrl-C ends everything")
    say("in another shell, this points your tools at it:")
    say('  eval "$(.venv/bin/python -m lab env .corral/demo/lab.json)"')
    say(f"  export PREFECT_API_URL={environment['PREFECT_API_URL']}")
    while True:
        time.sleep(3600)


def _surroundings() -> dict[str, str]:
    """Return our environment without what points at somebody's real AWS or Prefect."""
    foreign = ("AWS_", "PREFECT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"PYTHONUNBUFFERED": "1"}


def _prefect_settings() -> dict[str, str]:
    port = str(_free_port(4200))
    return {
        "PREFECT_HOME": str(HOME / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_API_PORT": port,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLI_PROMPT": "false",
        "CORRAL_WORK_DIR": str(HOME / "work"),
        # What happens, without the columns that only a file needs.
        f"{FORMATS}_FORMAT": "%(asctime)s  %(message)s",
        f"{FORMATS}_FLOW_RUN_FMT": "%(asctime)s  %(message)s",
        f"{FORMATS}_TASK_RUN_FMT": "%(asctime)s  %(task_run_name)s: %(message)s",
    }


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoError("no free port on 127.0.0.1")


def _answers(api: str) -> bool:
    try:
        return requests.get(f"{api}/health", timeout=2).ok
    except requests.RequestException:
        return False


def _ui(environment: Mapping[str, str]) -> str:
    return environment["PREFECT_API_URL"].removesuffix("/api")


def _log(name: str) -> Path:
    return HOME / f"{name}.log"


@contextmanager
def _started(
    name: str, command: Sequence[str], environment: Mapping[str, str], *, echo: bool = False
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    output = cast("IO[str]", process.stdout)
    threading.Thread(target=_tee, args=(output, _log(name), echo), daemon=True).start()
    try:
        yield process
    finally:
        _stop(process)


def _tee(lines: IO[str], path: Path, echo: bool) -> None:  # noqa: FBT001 - a thread's target
    with path.open("w", encoding="utf-8") as log:
        for line in lines:
            log.write(line)
            log.flush()
            if echo:
                print(line, end="", flush=True)


def _stop(process: subprocess.Popen[str]) -> None:
    """End a process and what it started; a worker would leave its flows to themselves."""
    if process.poll() is not None:
        return
    family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
    for survivor in psutil.wait_procs(family, timeout=0)[1]:
        with suppress(psutil.NoSuchProcess):
            survivor.terminate()
    for survivor in psutil.wait_procs(family, timeout=STOP_S)[1]:
        with suppress(psutil.NoSuchProcess):
            survivor.kill()
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(what: str, probe: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    began = said = time.monotonic()
    while not probe():
        now = time.monotonic()
        if process.poll() is not None:
            raise DemoError(f"{what} ended with {process.returncode}; its log is in {HOME}")
        if now - began > START_S:
            raise DemoError(f"{what} did not answer within {START_S:.0f} s; its log is in {HOME}")
        if now - said > TALK_EVERY_S:
            said = now
            say(f"  still waiting for {what}, {now - began:.0f} s of {START_S:.0f} s")
        time.sleep(0.2)


def _run(
    name: str, command: Sequence[str], environment: Mapping[str, str], *, seconds: float = START_S
) -> None:
    spelled = f"`{' '.join(command[2:])}`"
    with _log(name).open("w", encoding="utf-8") as log:
        try:
            result = subprocess.run(
                command,
                cwd=PROJECT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DemoError(
                f"{spelled} did not end within {seconds:.0f} s; see {_log(name)}"
            ) from None
    if result.returncode != 0:
        raise DemoError(f"{spelled} ended with {result.returncode}; see {_log(name)}")
