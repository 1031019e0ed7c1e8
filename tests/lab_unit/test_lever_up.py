"""`python -m lab`: starting, pointing a shell at it, and leaving nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import apprise
import psutil
import pytest
import requests
from moto.rds.responses import RDSResponse

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
    assert "export CORRAL_PAGERDUTY_URL=http://127.0.0.1:3" in lines


def test_what_corral_waits_for_is_as_fast_as_the_lab():
    exports = READY.exports()

    waits = {name: exports[f"CORRAL_{name}_S"] for name in ("QUIET", "JOIN_GRACE", "STUCK_AFTER")}
    assert waits == {"QUIET": "45", "JOIN_GRACE": "45", "STUCK_AFTER": "30"}
    assert (exports["CORRAL_REMOVAL_INTERVAL_S"], exports["CORRAL_HEARTBEAT_INTERVAL_S"]) == (
        "0.05",
        "1",
    )


def test_a_removal_is_never_given_less_time_than_its_calls_take():
    assert READY.exports()["CORRAL_REMOVAL_DEADLINE_S"] == "20"


def test_the_channels_of_alerts_are_urls_that_apprise_understands():
    channels = json.loads(READY.exports()["CORRAL_ALERT_URLS"])

    services = {name: apprise.Apprise.instantiate(url) for name, url in channels.items()}
    assert {name: service.service_name for name, service in services.items()} == {
        "pagerduty": "Pager Duty",
        "chat": "Mattermost",
    }


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


def test_a_port_that_is_taken_is_one_sentence_and_moto_is_as_it_was(tmp_path, capsys):
    before = vars(RDSResponse)["create_db_snapshot"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        base = taken.getsockname()[1]
        arguments = ["up", "--ready-file", str(tmp_path / "r"), "--port-base", str(base)]

        assert main(arguments) == 1
    assert "the lab could not start" in capsys.readouterr().err
    assert vars(RDSResponse)["create_db_snapshot"] is before
