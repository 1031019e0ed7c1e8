"""The tables in the stacks' READMEs are made of what the Terraform files say."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "terraform_docs.py"

STACK = """\
# What the bucket is for
resource "aws_s3_bucket" "logs" {
  bucket = var.name
}
"""
VARIABLES = """\
variable "name" {
  description = "Name of the bucket, such as \\"a|b\\"."
  type        = string
}
"""
OUTPUTS = """\
output "arn" {
  description = "The bucket's name in full."
  value       = aws_s3_bucket.logs.arn
}
"""


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("terraform_docs", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "terraform_docs", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "TERRAFORM", tmp_path / "terraform")
    return module


@pytest.fixture
def stack(docs: ModuleType) -> Path:
    folder: Path = docs.TERRAFORM / "logs"
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text(STACK)
    (folder / "variables.tf").write_text(VARIABLES)
    (folder / "outputs.tf").write_text(OUTPUTS)
    (folder / "README.md").write_text(f"# logs\n\n{docs.BEGIN}\n{docs.END}\n")
    return folder


def test_a_readme_gets_a_row_for_each_resource_variable_and_output(
    docs: ModuleType, stack: Path
) -> None:
    docs.refresh(stack / "README.md", check=False)

    text = (stack / "README.md").read_text()
    assert text.startswith("# logs\n")
    assert "| `aws_s3_bucket.logs` | What the bucket is for | [main.tf](main.tf) |" in text
    assert '| `name` | `string` | Name of the bucket, such as "a\\|b". |' in text
    assert "| `arn` | The bucket's name in full. |" in text


def test_a_fresh_readme_is_left_alone(docs: ModuleType, stack: Path) -> None:
    docs.refresh(stack / "README.md", check=False)

    assert docs.refresh(stack / "README.md", check=True) is None


def test_a_stale_readme_is_named_and_not_touched(docs: ModuleType, stack: Path) -> None:
    before = (stack / "README.md").read_text()

    with pytest.raises(docs.StaleSourceError, match=r"terraform/logs/README\.md is stale"):
        docs.refresh(stack / "README.md", check=True)

    assert (stack / "README.md").read_text() == before


def test_a_resource_without_a_comment_is_named(docs: ModuleType, stack: Path) -> None:
    (stack / "main.tf").write_text(STACK.partition("\n")[2])

    with pytest.raises(
        docs.StaleSourceError, match=r"main\.tf: aws_s3_bucket\.logs has no comment"
    ):
        docs.refresh(stack / "README.md", check=False)


def test_a_readme_without_markers_is_named(docs: ModuleType, stack: Path) -> None:
    (stack / "README.md").write_text("# logs\n")

    with pytest.raises(docs.StaleSourceError, match=r"README\.md lacks the lines"):
        docs.refresh(stack / "README.md", check=False)
