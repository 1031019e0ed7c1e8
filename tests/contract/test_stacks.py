"""Both sides of a stack agree: model fields are its variables, output models its outputs."""

from pathlib import Path
from typing import Any

import hcl2
import pytest

from corral.domain.stacks import ControlPlane, Database, HostPool, SecurityGroups, Stack, Vpc
from corral.settings import PROJECT

STACKS: list[type[Stack[Any]]] = [Vpc, SecurityGroups, Database, ControlPlane, HostPool]


def _declared(folder: str, kind: str) -> set[str]:
    files = sorted((PROJECT / "terraform" / folder).glob("*.tf"))
    blocks = [block for file in files for block in _blocks(file, kind)]
    return {name.strip('"') for block in blocks for name in block}


def _blocks(file: Path, kind: str) -> list[dict[str, Any]]:
    with file.open() as text:
        return hcl2.load(text).get(kind, [])


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.folder)
def test_the_fields_of_a_model_are_the_variables_of_its_stack(stack: type[Stack[Any]]):
    assert set(stack.model_fields) - {"place"} == _declared(stack.folder, "variable")


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.folder)
def test_the_fields_of_an_output_model_are_the_outputs_of_its_stack(stack: type[Stack[Any]]):
    assert set(stack.outputs.model_fields) == _declared(stack.folder, "output")


def test_every_stack_folder_has_a_model():
    folders = {path.parent.name for path in (PROJECT / "terraform").glob("*/outputs.tf")}

    assert folders == {stack.folder for stack in STACKS}
