"""A bake to its end, with a stand-in for Packer where a real one cannot be brought to it."""

import json
import os
import signal
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from corral.clients.packer import Baking, Event, Program, bake
from corral.errors import CredentialsError, PackerDeadlineError, PackerError
from tests.engine.stub_engine import soon

IMAGE = "1,amazon-ebs.node,artifact,0,id,us-east-1:ami-0123"
STEP = "1,,ui,say,==> amazon-ebs.node: Waiting for SSH to become available..."
SECRET = "a-secret-access-key"

# On SIGINT it does as Packer does: it removes its builder, which takes a moment, and fails.
WAITS = f"""
trap 'echo SIGINT >> signals; sleep 0.2; echo cleaned >> signals; exit 1' INT
echo '{STEP}'
touch waits
for tick in $(seq 500); do sleep 0.02; done
"""


class Oven:
    """A stand-in for Packer, its template, and what was heard of it."""

    def __init__(self, folder: Path, script: str) -> None:
        self.folder = folder
        self.template = folder / "images"
        self.template.mkdir()
        program = folder / "packer"
        program.write_text(f'#!/bin/sh\necho "$@" > argv\nexport -p > environment\n{script}\n')
        program.chmod(0o755)
        self.program = Program(program, "1.6.6")
        self.heard: list[Event] = []
        self.on_event: Callable[[Event], None] = self.heard.append

    def bake(self, deadline_s: float = 20, **environment: str) -> str:
        baking = Baking(
            template=self.template,
            variables={"region": "us-east-1"},
            environment=environment,
            folder=self.folder / "bake",
            deadline=timedelta(seconds=deadline_s),
            way_in="look at its subnet.",
        )
        return bake(self.program, baking, self.on_event)

    def text(self, name: str) -> str:
        path = self.template / name
        return path.read_text() if path.exists() else ""


@pytest.fixture
def oven(tmp_path: Path, request: pytest.FixtureRequest) -> Oven:
    return Oven(tmp_path, request.param)


def plays(script: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("oven", [script], indirect=True, ids=[""])


@plays(f"echo '{STEP}'; echo '{IMAGE}'")
def test_a_bake_ends_with_the_id_of_its_image(oven):
    assert oven.bake() == "ami-0123"
    assert [event.text for event in oven.heard] == ["Waiting for SSH to become available..."]


@plays(f"echo '{IMAGE}'")
def test_the_variables_are_in_a_private_file_and_not_in_the_command_line(oven):
    oven.bake()

    path = oven.folder / "bake" / "variables.pkrvars.json"
    assert json.loads(path.read_text()) == {"region": "us-east-1"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert oven.text("argv").split() == [
        "build",
        "-color=false",
        "-machine-readable",
        f"-var-file={path}",
        str(oven.template),
    ]


@plays(f"echo '{IMAGE}'")
def test_credentials_of_a_block_stand_alone_and_only_in_the_environment(oven, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "somebody-else")
    monkeypatch.setenv("PACKER_LOG", "1")

    oven.bake(AWS_ACCESS_KEY_ID="AKIA", AWS_SECRET_ACCESS_KEY=SECRET)

    assert "somebody-else" not in oven.text("environment")
    assert "PACKER_LOG" not in oven.text("environment")
    assert SECRET in oven.text("environment")
    assert SECRET not in oven.text("argv")


@plays(f"echo '1,,ui,error,Error: {SECRET}'; exit 1")
def test_a_secret_that_is_printed_is_heard_and_told_without_itself(oven):
    with pytest.raises(PackerError, match=r"Error: \*\*\*") as caught:
        oven.bake(AWS_ACCESS_KEY_ID="AKIA", AWS_SECRET_ACCESS_KEY=SECRET)

    assert SECRET not in str(caught.value) + str(oven.heard)


@plays("echo 'runtime error: out of memory' >&2; exit 2")
def test_one_that_dies_without_a_fault_is_quoted(oven):
    with pytest.raises(PackerError, match="runtime error: out of memory"):
        oven.bake()


@plays("exit 0")
def test_one_that_ends_well_without_an_image_is_no_success(oven):
    with pytest.raises(PackerError, match="it said nothing"):
        oven.bake()


@plays("echo '1,amazon-ebs.node,error,AuthFailure: AWS was not able to validate'; exit 1")
def test_credentials_that_are_not_accepted_are_told_as_such(oven):
    with pytest.raises(CredentialsError):
        oven.bake()


@plays(WAITS)
def test_the_deadline_interrupts_once_and_waits_until_the_builder_is_removed(oven):
    with pytest.raises(PackerDeadlineError) as caught:
        oven.bake(deadline_s=1)

    assert oven.text("signals").split() == ["SIGINT", "cleaned"]
    assert "longer than 1 s (CORRAL_BAKE_DEADLINE_S)" in str(caught.value)
    assert "it was at: Waiting for SSH to become available..." in str(caught.value)


@plays(WAITS)
def test_a_run_that_is_stopped_interrupts_once_and_waits_until_the_builder_is_removed(oven):
    def stop(_: Event) -> None:
        soon((oven.template / "waits").exists)
        os.kill(os.getpid(), signal.SIGTERM)

    oven.on_event = stop
    with pytest.raises(SystemExit):
        oven.bake()

    assert oven.text("signals").split() == ["SIGINT", "cleaned"]
