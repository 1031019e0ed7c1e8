"""The machine image of the lab: baked once when the lab starts, as an AMI is.

A lab that runs keeps the node program it started with, whatever happens to the working tree.
"""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from lab.machines.docker import client
from lab.machines.guest import sitecustomize

NODE_FOLDER = Path(__file__).parents[2] / "node"
PROGRAM = "opt/corral-node/bin/corral-node"
"""Where the image has the node program, below a machine's root."""


@dataclass(frozen=True, slots=True)
class Image:
    """A folder that holds what machines start from."""

    folder: Path

    @property
    def module_path(self) -> str:
        """Return where a machine's Python finds the node program, and what makes it a machine."""
        return f"{self.folder / 'guest'}:{self.folder / 'node'}"

    def install(self, root: Path, authority: Path) -> None:
        """Lay out a machine's disk: units, the node program, Docker's client, whom it trusts."""
        units = root / "etc/systemd/system"
        shutil.copytree(self.folder / "node" / "systemd", units)
        trust = root / "etc/corral/database-ca.pem"
        trust.parent.mkdir(parents=True)
        shutil.copyfile(authority, trust)
        _write_program(root / PROGRAM, "-m", "corral_node")
        _write_program(root / "usr/bin/docker", "-I", "-S", str(self.folder / "docker.py"))


def bake(folder: Path) -> Image:
    """Copy what machines need out of the working tree."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    shutil.copytree(NODE_FOLDER, folder / "node", ignore=ignored)
    (folder / "guest").mkdir()
    shutil.copy(sitecustomize.__file__, folder / "guest")
    shutil.copyfile(client.__file__, folder / "docker.py")
    return Image(folder)


def _write_program(program: Path, *arguments: str) -> None:
    program.parent.mkdir(parents=True)
    words = " ".join(f"'{word}'" for word in (sys.executable, *arguments))
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
