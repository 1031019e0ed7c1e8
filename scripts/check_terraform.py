"""Checks the Terraform stacks with the engine that corral would use.

`check` holds format and validity of all stacks; `test STACK` runs one stack's own tests.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from corral.clients.terraform import find_engine
from corral.clients.terraform.mirror import source_for, write_configuration
from corral.errors import CorralError
from corral.settings import PROJECT, Settings

STACKS = PROJECT / "terraform"
DEADLINE_S = 600


def _names() -> list[str]:
    return sorted(path.parent.name for path in STACKS.glob("*/outputs.tf"))


class Check:
    """Runs the engine on stacks in their own folders; what it keeps lies in the work folder."""

    def __init__(self, settings: Settings) -> None:
        settings.work_dir.mkdir(parents=True, exist_ok=True)
        self._engine = find_engine(settings.terraform, settings.work_dir)
        source = source_for(self._engine, settings)
        configuration = write_configuration(source, settings.work_dir)
        self._data = settings.work_dir / ".check"
        self._environment = dict(os.environ) | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        if not source.is_operators:
            self._environment.pop("TF_CLI_CONFIG_FILE", None)
        if configuration:
            self._environment["TF_CLI_CONFIG_FILE"] = str(configuration)
        if source.needs_cache:
            # One copy of the provider for all stacks, although none of them has a lock file.
            cache = self._data / "plugins"
            cache.mkdir(parents=True, exist_ok=True)
            self._environment["TF_PLUGIN_CACHE_DIR"] = str(cache)
            self._environment["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "true"

    def formatted(self) -> bool:
        """Say whether every file is as `terraform fmt` writes it."""
        return self._run(["fmt", "-check", "-diff", "-recursive"], STACKS)

    def valid(self, stack: str) -> bool:
        """Say whether a stack is valid."""
        return self._on_stack(stack, ["validate", "-no-color"])

    def tested(self, stack: str) -> bool:
        """Say whether a stack passes its own tests."""
        return self._on_stack(stack, ["test", "-no-color"])

    def _on_stack(self, stack: str, command: list[str]) -> bool:
        folder = STACKS / stack
        own = {"TF_DATA_DIR": str(self._data / stack)}
        init = ["init", "-backend=false", "-input=false", "-no-color"]
        return self._run(init, folder, own, quiet=True) and self._run(command, folder, own)

    def _run(
        self, command: list[str], folder: Path, own: Mapping[str, str] = {}, *, quiet: bool = False
    ) -> bool:
        try:
            result = subprocess.run(
                [str(self._engine.path), *command],
                cwd=folder,
                env=self._environment | dict(own),
                capture_output=True,
                text=True,
                timeout=DEADLINE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            print(f"{folder.name}: terraform {command[0]} was stopped after {DEADLINE_S} s")
            return False
        if result.returncode or not quiet:
            print(f"{folder.name}: terraform {command[0]}\n{result.stdout}{result.stderr}".rstrip())
        return result.returncode == 0


def main() -> int:
    """Run what was asked for and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["check", "test"])
    parser.add_argument("stack", nargs="?", choices=_names())
    given = parser.parse_args()
    try:
        check = Check(Settings())
    except CorralError as error:
        print(error)
        return 1
    if given.what == "test":
        passed = [check.tested(stack) for stack in ([given.stack] if given.stack else _names())]
    else:
        passed = [check.formatted(), *(check.valid(stack) for stack in _names())]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
