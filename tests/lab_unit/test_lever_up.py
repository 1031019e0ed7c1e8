"""`python -m lab`: starting, pointing a shell at it, and leaving nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
import requests

from lab.__main__ import main
from lab.ready import NotReadyError, Ready

READY = Ready(
    aws_endpoint="http://127.0.0.1:1",
    rancher_url="http://127.0.0.1:2",
    alerts_url="http://127.0.0.1:3",
    control_url="http://127.0.0.1:4",
    time_scale=20,
    pid=1,
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_lab_within_five_seconds_with_all_it_started(tmp_path, number):
    ready_file = tmp_path / "ready.json"
    command = [sys.executable, "-m", "lab", "up", "--ready-file", str(ready_file)]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=environment) as process:
        try:
            deadline = time.monotonic() + 60
            while not ready_file.exists():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            ready = Ready.read(ready_file)
            rancher = requests.get(f"{ready.rancher_url}/ping", timeout=5)
            journal = requests.get(f"{ready.control_url}/journal", timeout=5)
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(number)
            process.wait(5)
        finally:
            process.kill()

    assert (rancher.status_code, journal.json()) == (503, [])
    assert not any(child.is_running() for child in children)
    assert list(tmp_path.iterdir()) == []


def test_exports_point_a_shell_at_the_lab(tmp_path, capsys):
    READY.write(tmp_path / "ready.json")

    assert main(["env", str(tmp_path / "ready.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:1" in lines
    assert "export AWS_ACCESS_KEY_ID=lab" in lines
    assert "export CORRAL_RANCHER_URL=http://127.0.0.1:2" in lines
    assert "export CORRAL_GATE_INTERVAL_S=0.5" in lines


def test_a_missing_ready_file_is_one_sentence(tmp_path, capsys):
    assert main(["env", str(tmp_path / "ready.json")]) == 1
    assert "is not the ready file of a lab" in capsys.readouterr().err


def test_a_ready_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "ready.json").write_text("{}")

    with pytest.raises(NotReadyError):
        Ready.read(tmp_path / "ready.json")


def test_a_time_scale_is_greater_than_zero(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["up", "--ready-file", str(tmp_path / "r"), "--time-scale", "0"])
    assert "greater than 0" in capsys.readouterr().err


def test_a_port_that_is_taken_is_one_sentence(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        base = taken.getsockname()[1]
        arguments = ["up", "--ready-file", str(tmp_path / "r"), "--port-base", str(base)]

        assert main(arguments) == 1
    assert "the lab could not start" in capsys.readouterr().err
