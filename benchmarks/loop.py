"""What a shell would do without corral: one stack after the other, `init` and `apply` or `plan`.

Engine, provider, stacks and variables are corral's. What differs is what the figures compare: the
loop does `init` every time, hashes the provider at every command, applies the pools one after the
other, and leaves Go's garbage collector as it is, where corral sets GOGC=400.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from corral.cluster import ClusterSpec
from corral.domain.stacks import (
    ControlPlane,
    Database,
    HostPool,
    Outputs,
    SecurityGroups,
    Stack,
    Vpc,
)

Out = TypeVar("Out", bound=Outputs)

COMMAND_S = 900


@dataclass
class PlainLoop:
    """Terraform in plain folders with the same files and variables, timed command by command."""

    engine: Path
    spec: ClusterSpec
    stacks: Path
    folder: Path
    environment: Mapping[str, str]
    seconds: dict[str, float] = field(default_factory=dict)

    def apply(self) -> float:
        """Build every stack in its order; return how long `init` and `apply` took together."""
        return self._walk("apply", "-auto-approve")

    def plan(self) -> float:
        """Look at every stack as it stands; return how long `init` and `plan` took together."""
        return self._walk("plan", "-detailed-exitcode")

    def _walk(self, *command: str) -> float:
        self.seconds.clear()
        vpc = self._step(Vpc.of(self.spec), *command)
        groups = self._step(SecurityGroups.of(self.spec, vpc), *command)
        database = self._step(Database.of(self.spec, vpc, groups), *command)
        control = self._step(ControlPlane.of(self.spec, vpc, groups, database), *command)
        for pool in self.spec.pools:
            self._step(HostPool.of(self.spec, vpc, groups, control, pool), *command)
        return sum(self.seconds.values())

    def _step(self, stack: Stack[Out], *command: str) -> Out:
        copy = self._copy(stack)
        began = time.monotonic()
        self._init(stack, copy)
        self._terraform(copy, *command)
        self.seconds[stack.name] = time.monotonic() - began
        outputs = json.loads(self._terraform(copy, "output", "-json"))
        return stack.read_outputs({name: entry["value"] for name, entry in outputs.items()})

    def _copy(self, stack: Stack[Any]) -> Path:
        copy = self.folder / stack.key
        shutil.copytree(self.stacks / stack.folder, copy, dirs_exist_ok=True)
        variables = copy / "cluster.auto.tfvars.json"
        variables.write_text(json.dumps(stack.variables()), encoding="utf-8")
        return copy

    def _init(self, stack: Stack[Any], copy: Path) -> None:
        backend = {
            "bucket": self.spec.aws.state_bucket,
            "key": f"{stack.key}.tfstate",
            "region": self.spec.aws.region,
            "use_lockfile": "true",
            "use_path_style": "true",
        }
        options = [f"-backend-config={name}={value}" for name, value in backend.items()]
        self._terraform(copy, "init", *options)

    def _terraform(self, copy: Path, command: str, *options: str) -> str:
        result = subprocess.run(
            [str(self.engine), command, *options],
            cwd=copy,
            env={**self.environment, "TF_INPUT": "false"},
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        if result.returncode:
            raise RuntimeError(f"terraform {command} of {copy}: {result.stdout}{result.stderr}")
        return result.stdout
