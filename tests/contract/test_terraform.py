"""Each stack passes its own tests, run by the engine that corral would use."""

import subprocess
import sys

import pytest

from corral.settings import PROJECT

STACKS = sorted(path.parent.name for path in (PROJECT / "terraform").glob("*/outputs.tf"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_passes_its_own_tests(stack: str):
    result = subprocess.run(
        [sys.executable, "-m", "scripts.check_terraform", "test", stack],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed, 0 failed" in result.stdout
