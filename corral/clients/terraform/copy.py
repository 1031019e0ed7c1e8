"""Working copies: a private folder for each state, kept between runs, used by one at a time."""

import hashlib
import json
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from corral.clients.terraform import locks
from corral.clients.terraform.events import Listener
from corral.errors import TerraformError

VARIABLES = "corral.auto.tfvars.json"
UNSAVED = "errored.tfstate"
"""Terraform leaves the state here if it could not store it: the only record of what it made."""

_OURS = ".corral"
_LEFT_OUT = shutil.ignore_patterns(".*", "tests", "*.md", "*.tftest.hcl", "*.tfstate*", VARIABLES)
_KEPT = ("*.tfstate*", "crash*.log", VARIABLES)


class WorkingCopy:
    """The private copy of one stack's folder.

    The lock on it is inherited by every Terraform that runs in it: if we are killed, that Terraform
    keeps the lock until it is done, and the next run waits for it.
    """

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self.lock = lock

    @property
    def own(self) -> Path:
        """Where our own notes lie; Terraform does not look there."""
        return self.folder / _OURS

    def fill(self, source: Path, variables: Mapping[str, Any]) -> None:
        """Make the copy equal to the folder, links followed, and write the variables beside it.

        Raises:
            TerraformError: There is no such folder; or an earlier run left a state unsaved.

        """
        if not any(source.glob("*.tf")):
            raise TerraformError(f"There is no stack in {source}: it holds no .tf file.")
        if (self.folder / UNSAVED).exists():
            raise TerraformError(
                f"An earlier run could not store its state and left it in {self.folder / UNSAVED}:"
                f" run `terraform -chdir={shlex.quote(str(self.folder))} state push {UNSAVED}`,"
                " then remove the file."
            )
        self._empty()
        shutil.copytree(source, self.folder, ignore=_LEFT_OUT, dirs_exist_ok=True)
        path = self.folder / VARIABLES
        content = json.dumps(variables, indent=2, sort_keys=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(content)

    def digest(self) -> str:
        """Return a digest of the stack's files; the variables are not among them."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder)
            if path.is_file() and not _is_kept(name):
                digest.update(f"{name}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def sign(self, command: str) -> None:
        """Write down who uses the copy and for what, for those who wait."""
        locks.sign(self.lock, command)

    def _empty(self) -> None:
        """Remove what was copied before, so that a file that vanished vanishes here too."""
        for path in self.folder.iterdir():
            if _is_kept(Path(path.name)):
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


@contextmanager
def take_copy(
    work_dir: Path, key: str, *, patience: timedelta, listen: Listener
) -> Iterator[WorkingCopy]:
    """Hold the working copy of a state, alone.

    Args:
        work_dir: Where all copies lie.
        key: Of the state, `lab/host-pool/web`.
        patience: How long to wait for an earlier run's Terraform.
        listen: Hears what is waited for, and for how long.

    Raises:
        CopyBusyError: It is still used after that time.

    """
    folder = work_dir / key
    path = folder / _OURS / "lock"
    what = f"working copy of {key}"
    with locks.hold(path, what, patience=patience, listen=listen) as lock:
        yield WorkingCopy(folder, lock)


def _is_kept(name: Path) -> bool:
    return name.parts[0].startswith(".") or any(name.match(pattern) for pattern in _KEPT)
