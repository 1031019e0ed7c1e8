"""What makes a Python process one of a machine's: names, clock, and dying with the lab."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from socket import create_server
from threading import Thread

import psutil
import pytest

from lab.machines.guest import sitecustomize

PEER = """
import socket, sys
print(socket.create_connection((sys.argv[1], 3306)).recv(5).decode())
"""
CLOCK = """
import time
began = time.monotonic()
time.sleep(20)
print(time.monotonic() - began)
"""
COMPUTING = """
import time
clocks = (time.monotonic, time.perf_counter, time.process_time)
began = [clock() for clock in clocks]
while time.process_time() - began[2] < 0.5:
    pass
print(*(clock() - start for clock, start in zip(clocks, began)))
"""
TIMER = """
import signal
signal.signal(signal.SIGALRM, lambda *_: print("rang"))
signal.setitimer(signal.ITIMER_REAL, 300)
signal.pause()
"""
PARENT = """
import json, subprocess, sys, time
program = [sys.executable, "-c", "import time; time.sleep(60)"]
child = subprocess.Popen(program, env=json.loads(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(60)
"""


def environment(resolver: str, scale: float = 1.0) -> dict[str, str]:
    folder = str(Path(sitecustomize.__file__).parent)
    lab = {"PYTHONPATH": folder, "LAB_RESOLVER": resolver, "LAB_TIME_SCALE": str(scale)}
    return {"PATH": os.environ["PATH"], **lab}


def run(script: str, *arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=env, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip


@pytest.fixture
def resolver():
    """Knows one name, whose port 3306 greets with hello; gives the questions it was asked."""
    greeter, listener = create_server(("127.0.0.1", 0)), create_server(("127.0.0.1", 0))
    questions: list[str] = []

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            questions.append(connection.recv(100).decode())
            known = questions[-1].startswith("db.test ")
            text = f"127.0.0.1 {greeter.getsockname()[1]}" if known else "-"
            connection.sendall(f"{text}\n".encode())
        if known:
            caller, _ = greeter.accept()
            with caller:
                caller.sendall(b"hello")

    thread = Thread(target=answer)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}", questions
    thread.join(timeout=5)
    greeter.close()
    listener.close()


def test_a_name_leads_to_where_the_lab_says_for_that_port(resolver):
    address, questions = resolver

    assert run(PEER, "db.test", env=environment(address)).stdout == "hello\n"
    assert questions == ["db.test 3306\n"]


def test_a_name_that_the_lab_does_not_know_does_not_exist(resolver):
    address, _ = resolver

    assert "Name or service not known" in run(PEER, "other.test", env=environment(address)).stderr


def test_pauses_and_deadlines_pass_faster():
    began = time.monotonic()
    passed = float(run(CLOCK, env=environment("127.0.0.1:1", scale=100.0)).stdout)

    assert passed >= 20
    assert time.monotonic() - began < 10


def test_computing_takes_as_long_as_it_takes_and_only_waiting_is_faster():
    done = run(COMPUTING, env=environment("127.0.0.1:1", scale=100.0))
    passed, in_reality, computing = map(float, done.stdout.split())

    assert passed == pytest.approx((in_reality - computing) * 100 + computing, abs=1.0)


def test_a_timer_rings_by_the_labs_clock_and_leaves_time_for_computing():
    began = time.monotonic()
    assert run(TIMER, env=environment("127.0.0.1:1", scale=1000.0)).stdout == "rang\n"

    assert sitecustomize.COMPUTING_S < time.monotonic() - began < 20


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process of its parent's end"
)
def test_a_machines_process_dies_with_the_lab_however_that_ends():
    command = [sys.executable, "-c", PARENT, json.dumps(environment("127.0.0.1:1"))]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE)
    child = psutil.Process(int(parent.stdout.readline()))
    time.sleep(0.5)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()

    psutil.wait_procs([child], timeout=5)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
