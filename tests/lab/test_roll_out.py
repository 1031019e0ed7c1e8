"""A new image on a living cluster: pools take it batch by batch, or stop at the first that fails.

Packer is a stand-in here, since a real bake needs a real machine; what follows the bake is real.
It comes after the tests of builds: a new image is a change that every build would make.
"""

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from corral.domain.hosts import INSTANCE_LABEL
from flows.bake_image import bake_image
from tests.lab.drains_of_stage import FLOW as DRAIN
from tests.lab.herd_of_stage import Herd
from tests.lab.oven import Oven

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("herd"), pytest.mark.timeout(1200)]

LISTEN_S = 240
STUB = Path(__file__).with_name("stub_packer.py")


class RollOut:
    """Bakes with a stand-in for Packer, while a drain listens."""

    def __init__(self, herd: Herd, folder: Path) -> None:
        self.herd = herd
        self.oven = Oven(herd.stage)
        herd.set(packer=_program(folder, "packer", shlex.quote(str(STUB))))

    def run(self) -> Any:
        return bake_image("lab", roll_out=True, return_state=True)

    def images_of_hosts(self) -> set[str]:
        """Return the images that the machines of active hosts were started from."""
        machines = self.herd.machines.values()
        answer = self.oven.ec2.describe_instances(InstanceIds=[*machines])
        rows = [row for each in answer["Reservations"] for row in each["Instances"]]
        return {row["ImageId"] for row in rows}


def _program(folder: Path, name: str, script: str) -> Path:
    program = folder / name
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {script} "$@"\n')
    program.chmod(0o755)
    return program


@pytest.fixture
def roll_out(herd: Herd, tmp_path: Path) -> RollOut:
    herd.set(ansible_playbook=_program(tmp_path, "ansible-playbook", "-c pass"))
    return RollOut(herd, tmp_path)


def test_pools_take_the_new_image_batch_by_batch_and_every_old_host_leaves_in_peace(roll_out):
    before = roll_out.herd.machines
    drain = roll_out.herd.stage.run_flow(DRAIN, "drain-roll", cluster="lab", listen_s=LISTEN_S)

    end = roll_out.run()
    drain.terminate()

    assert end.name == "RolledOut", end.message
    assert (
        "web: 2 machines replaced; celery: 2 machines replaced; crawler: 1 machine replaced"
        in str(end.message)
    )
    assert "Control nodes were not replaced" in str(end.message)
    rows = roll_out.herd.rows.values()
    assert {row["labels"][INSTANCE_LABEL] for row in rows}.isdisjoint(before.values())
    assert roll_out.images_of_hosts() == {end.result()}
    assert len(rows) == len(before)
