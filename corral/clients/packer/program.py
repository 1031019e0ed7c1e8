"""Finds Packer, and the Ansible that it runs."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from corral.errors import PrerequisiteError
from corral.settings import PROJECT

NEEDED = (1, 6, 6)
"""The first whose amazon-ebs builder has all that the template names; Debian's own."""

_ANSIBLE = "ansible-playbook"
_ANSWER_S = 30
_VERSION = re.compile(r"Packer v(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Program:
    """A Packer that is new enough."""

    path: Path
    version: str

    def __str__(self) -> str:
        """Name, version and place."""
        return f"packer {self.version} ({self.path})"


def find_packer(configured: Path | None) -> Program:
    """Return the Packer to use.

    Args:
        configured: The operator's choice, which is taken or refused, never replaced.

    Raises:
        PrerequisiteError: There is none, or it is too old.

    """
    if configured is not None:
        return _identified(configured)
    if found := shutil.which("packer"):
        return _identified(Path(found))
    raise PrerequisiteError(
        f"No Packer is installed: put Packer {_dotted(NEEDED)} or newer on the path"
        " (`apt-get install packer` on Debian), or name it in CORRAL_PACKER."
    )


def find_ansible(configured: Path | None) -> Path:
    """Return the `ansible-playbook` to use.

    Args:
        configured: The operator's choice, which is taken or refused, never replaced.

    Raises:
        PrerequisiteError: There is none.

    """
    if configured is not None:
        _must_run(configured, "CORRAL_ANSIBLE_PLAYBOOK")
        return configured
    for folder in (Path(sys.executable).parent, PROJECT / ".venv-images" / "bin"):
        if (folder / _ANSIBLE).is_file():
            return folder / _ANSIBLE
    if found := shutil.which(_ANSIBLE):
        return Path(found)
    raise PrerequisiteError(
        "No Ansible is installed, with which Packer fills the image: install the Python package"
        " ansible-core beside corral, put ansible-playbook on the path, or name it in"
        " CORRAL_ANSIBLE_PLAYBOOK."
    )


def _must_run(path: Path, setting: str) -> None:
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise PrerequisiteError(f"There is no program to run at {path}: check {setting}.")


def _identified(path: Path) -> Program:
    _must_run(path, "CORRAL_PACKER")
    version = _VERSION.search(_answer(path))
    if version is None:
        raise PrerequisiteError(f"{path} does not answer `version` as Packer does.")
    parts = tuple(int(part) for part in version.groups())
    if parts < NEEDED:
        raise PrerequisiteError(
            f"Too old: packer {_dotted(parts)} ({path}); the template needs {_dotted(NEEDED)} or"
            " newer."
        )
    return Program(path.absolute(), _dotted(parts))


def _answer(path: Path) -> str:
    try:
        answer = subprocess.run(
            [path, "version"],
            capture_output=True,
            check=True,
            text=True,
            timeout=_ANSWER_S,
            env={**os.environ, "CHECKPOINT_DISABLE": "1"},
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise PrerequisiteError(f"{path} does not answer `version`: {error}") from error
    return answer.stdout


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
