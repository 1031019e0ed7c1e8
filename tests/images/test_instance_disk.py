"""The disk that a machine brings is taken for Docker if it is empty, and never otherwise."""

import os
import subprocess
from pathlib import Path

import pytest

from corral.settings import PROJECT

SCRIPT = PROJECT / "images" / "roles" / "docker_host" / "files" / "corral-instance-disk"
ROOT_VOLUME = "/dev/nvme0n1 Amazon Elastic Block Store"
SMALL = "/dev/nvme1n1 Amazon EC2 NVMe Instance Storage"
LARGE = "/dev/nvme2n1 Amazon EC2 NVMe Instance Storage"
NVME = "0x010802"
"""What PCI calls a controller of NVMe."""


class Machine:
    """Stands in for the disks by the commands that look at them, and writes down what is done."""

    def __init__(self, folder: Path) -> None:
        self._bin, self._done = folder / "bin", folder / "done"
        self._bin.mkdir()
        self._done.touch()
        for name in ("mkfs.ext4", "mount", "mkdir"):
            self.answers(name, f'echo "{name} $*" >> {self._done}')
        self.has(ROOT_VOLUME)
        self.holds(label="", signature="")
        self.answers("mountpoint", "exit 1")
        self.answers("sleep", "exit 0")
        self.devices = folder / "devices"

    def answers(self, command: str, script: str) -> None:
        file = self._bin / command
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def has(self, *disks: str) -> None:
        """Have these disks, the smallest first."""
        self.answers("lsblk", "\n".join(f"echo '{disk}   '" for disk in disks))

    def holds(self, *, label: str, signature: str) -> None:
        """Have this on every disk."""
        self.answers("blkid", f"echo '{label}'" if label else "exit 2")
        self.answers("wipefs", f"echo '{signature}'" if signature else "exit 0")

    def controls(self, name: str, *shown: str, kind: str = NVME) -> Path:
        """Have a controller that shows these disks."""
        device = self.devices / f"0000:00:{name}"
        (device / "nvme" / "nvme2").mkdir(parents=True)
        (device / "class").write_text(f"{kind}\n")
        for disk in shown:
            (device / "nvme" / "nvme2" / disk).mkdir()
        return device

    def boot(self) -> tuple[list[str], str]:
        """Return what was done, and what was said."""
        path = f"{self._bin}{os.pathsep}{os.environ['PATH']}"
        said = subprocess.run(
            ["sh", str(SCRIPT), str(self.devices)],
            env={"PATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        return self._done.read_text().splitlines(), said.stdout + said.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


FORMAT = "mkfs.ext4 -q -L corral-docker /dev/nvme2n1"
MOUNT = ["mkdir -p /var/lib/docker", "mount -o noatime /dev/nvme2n1 /var/lib/docker"]


def test_a_machine_without_a_disk_of_its_own_keeps_docker_on_the_root_volume(machine: Machine):
    done, said = machine.boot()

    assert done == []
    assert "root volume" in said


def test_the_largest_of_its_own_empty_disks_is_formatted_and_mounted(machine: Machine):
    machine.has(ROOT_VOLUME, SMALL, LARGE)

    assert machine.boot()[0] == [FORMAT, *MOUNT]


def test_after_a_reboot_the_disk_is_mounted_as_it_is(machine: Machine):
    machine.has(ROOT_VOLUME, LARGE)
    machine.holds(label="corral-docker", signature="0x438 ext4")

    assert machine.boot()[0] == MOUNT


@pytest.mark.parametrize("signature", ["0x438 ext4", "0x1fe dos", "0x218 LVM2_member"])
def test_a_disk_that_holds_something_else_is_left_alone(machine: Machine, signature: str):
    machine.has(ROOT_VOLUME, LARGE)
    machine.holds(label="somebody", signature=signature)
    done, said = machine.boot()

    assert done == []
    assert "/dev/nvme2n1" in said


def test_a_disk_that_cannot_be_read_is_not_taken_for_empty(machine: Machine):
    machine.has(ROOT_VOLUME, LARGE)
    machine.answers("wipefs", "echo 'probing initialization failed' >&2; exit 1")
    done, said = machine.boot()

    assert done == []
    assert "/dev/nvme2n1 cannot be read" in said


def test_a_volume_of_ebs_is_never_taken(machine: Machine):
    machine.has(
        "/dev/nvme0n1 Amazon Elastic Block Store", "/dev/nvme9n1 Amazon Elastic Block Store"
    )

    assert machine.boot()[0] == []


def test_a_disk_that_is_mounted_already_is_not_looked_at(machine: Machine):
    machine.has(ROOT_VOLUME, LARGE)
    machine.answers("mountpoint", "exit 0")

    assert machine.boot()[0] == []


def test_a_disk_that_the_kernel_still_asks_for_is_waited_for(machine: Machine):
    device = machine.controls("1f.0")
    # It shows up at the third look.
    shown = device / "nvme" / "nvme2" / "nvme2n1"
    asked = machine.devices / "asked"
    machine.answers(
        "sleep", f"echo >> {asked}; [ $(wc -l < {asked}) -lt 3 ] || exec /bin/mkdir -p {shown}"
    )
    machine.answers("lsblk", f"[ ! -e {shown} ] || echo '{LARGE}'")

    assert machine.boot()[0] == [FORMAT, *MOUNT]


def test_a_controller_that_never_shows_a_disk_does_not_hold_the_machine_for_ever(machine: Machine):
    machine.controls("1e.0")
    machine.has(ROOT_VOLUME, LARGE)

    assert machine.boot()[0] == [FORMAT, *MOUNT]


def test_only_controllers_of_disks_are_waited_for_and_only_until_they_show_one(machine: Machine):
    machine.controls("03.0", kind="0x020000")
    machine.controls("1f.0", "nvme2n1")
    machine.has(ROOT_VOLUME, LARGE)
    machine.answers("sleep", "echo slept >&2")

    assert "slept" not in machine.boot()[1]
