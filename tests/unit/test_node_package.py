"""The package that machines get: alone, but for one file that it shares with the flows."""

import ast
import sys
from pathlib import Path

import corral_node

NODE = Path(corral_node.__file__).parent
SHARED = Path(__file__).parents[2] / "corral" / "domain" / "steps.py"


def imported(path: Path) -> set[str]:
    """Return the names of the packages that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def test_machines_and_flows_take_the_same_steps():
    assert (NODE / "steps.py").is_symlink()
    assert (NODE / "steps.py").resolve() == SHARED.resolve()


def test_what_is_shared_needs_nothing_that_a_machine_lacks():
    assert imported(SHARED) <= sys.stdlib_module_names


def test_a_machine_installs_what_its_program_imports_and_no_more():
    packages = set().union(*map(imported, NODE.glob("*.py"))) - sys.stdlib_module_names

    # botocore comes with boto3
    assert packages == {"corral_node", "apprise", "boto3", "botocore", "requests"}
