"""Checks the machine image's template and roles, without playing them.

Ansible and its linter are in .venv-images. Packer is the system's own: where there is none, the
template is not checked, and that is said.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from corral.settings import PROJECT

IMAGES = PROJECT / "images"
BIN = PROJECT / ".venv-images" / "bin"
DEADLINE_S = 300

# Enough for Packer to read the whole template; nothing is asked of AWS.
VARIABLES = {
    "region": "eu-west-1",
    "source_image": "ami-0123456789abcdef0",
    "image_name": "corral-node-check",
    "playbook_variables": "/nowhere/variables.yml",
    "source_cidrs": json.dumps(["192.0.2.0/24"]),
    "ansible_playbook": str(BIN / "ansible-playbook"),
}


def _passes(*command: str | Path) -> bool:
    environment = os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(IMAGES / "ansible.cfg"),
        "ANSIBLE_HOME": str(PROJECT / ".corral" / "ansible"),
        "CHECKPOINT_DISABLE": "1",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        command, cwd=IMAGES, env=environment, timeout=DEADLINE_S, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    verdict = "" if done.returncode == 0 else f"\n{done.stdout}".rstrip()
    print(f"images: {Path(command[0]).name} {command[1]}{verdict}")
    return done.returncode == 0


def _template_is_valid(packer: str) -> bool:
    given = [f"-var={name}={value}" for name, value in VARIABLES.items()]
    return all([_passes(packer, "fmt", "-check", "."), _passes(packer, "validate", *given, ".")])


def main() -> int:
    """Check everything that can be checked here and return the exit code."""
    packer = shutil.which("packer")
    passed = [
        not packer or _template_is_valid(packer),
        _passes(
            BIN / "ansible-playbook", "--syntax-check", "--inventory", "builder,", "playbook.yml"
        ),
        _passes(
            BIN / "ansible-lint", "--offline", "--nocolor", "--profile", "production", "--strict"
        ),
    ]
    unchecked = "" if packer else ", but the template was not checked: packer is not installed"
    print(f"images: {'passed' if all(passed) else 'failed'}{unchecked}")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
