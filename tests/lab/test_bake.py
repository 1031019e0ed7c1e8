"""Bakes by the real Packer whose builder never answers, and what they leave behind: nothing."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.states import Crashed

from flows.bake_image import bake_image
from tasks import connect
from tests.lab.harness import Started
from tests.lab.oven import Oven, needs_packer
from tests.lab.stage import CLUSTER_FILE, Stage

pytestmark = [
    pytest.mark.lab,
    pytest.mark.xdist_group("stage"),
    pytest.mark.timeout(300),
    needs_packer,
]

FLOW = "flows.bake_image.bake_image"
NOBODY = {"ssh_host": "127.0.0.1", "ssh_port": 9}
"""The port of discard, where nobody listens."""
ROOM_S = 120.0
"""Seconds that a step of a run in a process of its own has."""


class Bakes:
    """Runs of the flow, each with its own patience for a builder that never answers."""

    def __init__(self, stage: Stage, patch: pytest.MonkeyPatch) -> None:
        self.stage = stage
        self.oven = Oven(stage)
        self._patch = patch

    def run(self, ssh_timeout: str = "2s") -> Any:
        self._wait_for_ssh(ssh_timeout)
        return bake_image("lab", return_state=True)

    def start(self, log: str) -> Started:
        """Start one whose Packer waits for longer than the test."""
        self._wait_for_ssh("10m")
        run = self.stage.run_flow(FLOW, log, cluster="lab")
        run.wait_for_line("Waiting for SSH", ROOM_S)
        return run

    def change_file(self, folder: Path, **bake: Any) -> None:
        content = yaml.safe_load(CLUSTER_FILE.read_text())
        content["bake"] |= bake
        (folder / "lab.yaml").write_text(yaml.safe_dump(content))
        self._patch.setenv("CORRAL_CLUSTERS_DIR", str(folder))
        connect.settings.cache_clear()

    def _wait_for_ssh(self, timeout: str) -> None:
        told = json.dumps({**NOBODY, "ssh_timeout": timeout})
        self._patch.setenv("CORRAL_PACKER_VARIABLES", told)
        self._patch.setitem(self.stage.environment, "CORRAL_PACKER_VARIABLES", told)
        connect.settings.cache_clear()


@pytest.fixture
def bakes(here: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bakes]:
    here.lever("DELETE", "/journal")
    yield Bakes(here, monkeypatch)
    connect.settings.cache_clear()


def test_a_builder_that_never_answers_ends_the_run_with_a_sentence_and_leaves_nothing(bakes):
    before = bakes.oven.images()

    end = bakes.run()

    assert end.name == "Failed"
    assert "The builder never answered by SSH: look whether its default VPC's subnet" in end.message
    assert "(203.0.113.0/24, 198.51.100.7/32)" in end.message
    assert bakes.oven.builders("terminated")
    assert bakes.oven.left() == []
    assert bakes.oven.images() == before


def test_a_run_that_is_stopped_lets_packer_clean_up(bakes):
    run = bakes.start("bake-stopped")
    assert len(bakes.oven.left()) == 3

    run.process.send_signal(signal.SIGTERM)

    assert run.wait(ROOM_S) != 0
    assert bakes.oven.packers() == []
    assert bakes.oven.left() == []


def test_what_a_dead_run_left_behind_is_removed_by_the_next_and_a_living_ones_is_not(bakes):
    run = bakes.start("bake-killed")
    run.kill()
    for packer in bakes.oven.packers():
        os.kill(packer.pid, signal.SIGKILL)
    (dead,) = bakes.oven.builders()

    # As long as Prefect takes the run for a living one, its builder is let alone.
    assert bakes.run().name == "Failed"
    assert bakes.oven.builders() == [dead]
    assert len(bakes.oven.left()) == 3

    _say_crashed("bake-lab")
    assert bakes.run().name == "Failed"
    assert bakes.oven.left() == []


@pytest.mark.parametrize(
    ("bake", "sentence"),
    [
        (
            {"source_name": "debian-99-*"},
            "No image of account 136693071363 in us-east-1 is named debian-99-*: correct",
        ),
        ({"variables": "images/nothing.yml"}, "cannot be read (No such file or directory)"),
        ({"variables": "images/roles/docker_host"}, "cannot be read (Is a directory)"),
        ({"variables": None}, "names no file of Ansible variables in bake.variables"),
    ],
)
def test_what_can_be_known_before_is_told_before_anything_is_made(bakes, tmp_path, bake, sentence):
    bakes.change_file(tmp_path, **bake)

    end = bakes.run()

    assert end.name == "Failed"
    assert sentence in end.message
    assert bakes.stage.writes() == []


def _say_crashed(name: str) -> None:
    """End the runs that still count as running, as Prefect's automations do after a while."""
    with get_client(sync_client=True) as client:
        for run in client.read_flow_runs():
            if run.name == name and run.state and run.state.is_running():
                client.set_flow_run_state(run.id, Crashed(message="its worker died"))
