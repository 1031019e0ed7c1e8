"""Write the tables in every stack's README from its Terraform files, or check that they are fresh.

`python scripts/terraform_docs.py` rewrites what stands between the markers in each README of
`terraform/`; `--check` changes nothing and fails with the names of the stale files.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2

TERRAFORM = Path(__file__).resolve().parent.parent / "terraform"
BEGIN = "<!-- begin: written by scripts/terraform_docs.py -->"
END = "<!-- end -->"

_RESOURCE = re.compile(r'^resource "(?P<type>\w+)" "(?P<name>\w+)" \{$')


class StaleSourceError(Exception):
    """Something that the tables need is missing; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a stack and the comment above it."""

    address: str
    purpose: str
    file: str


def _shown(path: Path) -> str:
    """Return a path as people in the project's folder write it."""
    return str(path.relative_to(TERRAFORM.parent))


def read_resources(folder: Path) -> list[Resource]:
    """Return the resources of a stack in the order of its files.

    Raises:
        StaleSourceError: A resource has no comment that says what it is for.
    """
    return [resource for path in sorted(folder.glob("*.tf")) for resource in _resources_in(path)]


def _resources_in(path: Path) -> Iterator[Resource]:
    comment: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
            continue
        if found := _RESOURCE.match(line):
            address = f"{found['type']}.{found['name']}"
            if not comment:
                raise StaleSourceError(
                    f"{_shown(path)}: {address} has no comment that says what it is for"
                )
            yield Resource(address, " ".join(comment), path.name)
        comment = []


def read_blocks(folder: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Return the variables or outputs of a stack by name, in the order of its files."""
    blocks: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.tf")):
        content = hcl2.loads(path.read_text(encoding="utf-8"))
        for block in content.get(kind, []):
            for name, body in block.items():
                blocks[_plain(name)] = body
    return blocks


def _plain(text: str) -> str:
    """Return a string of HCL, or an expression in `${}`, as a reader would write it."""
    if text.startswith("${") and text.endswith("}"):
        return text[2:-1]
    return text.removeprefix('"').removesuffix('"').replace('\\"', '"')


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    return [
        f"## {title}",
        "",
        _row(*heads),
        _row(*("---" for _ in heads)),
        *(_row(*row) for row in rows),
        "",
    ]


def render(folder: Path) -> str:
    """Return what belongs between the markers of a folder's README."""
    resources = [
        (f"`{resource.address}`", resource.purpose, f"[{resource.file}]({resource.file})")
        for resource in read_resources(folder)
    ]
    variables = [
        (f"`{name}`", f"`{' '.join(_plain(body['type']).split())}`", _plain(body["description"]))
        for name, body in read_blocks(folder, "variable").items()
    ]
    outputs = [
        (f"`{name}`", _plain(body["description"]))
        for name, body in read_blocks(folder, "output").items()
    ]
    lines = [
        *_table("Resources", ("Resource", "What for", "File"), resources),
        *_table("Variables", ("Variable", "Type", "What it says"), variables),
        *_table("Outputs", ("Output", "What it is"), outputs),
    ]
    return "\n".join(lines).rstrip()


def refreshed(readme: Path) -> str:
    """Return a README with its tables as the Terraform files have them now.

    Raises:
        StaleSourceError: The README has no place for the tables.
    """
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise StaleSourceError(f"{_shown(readme)} lacks the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{render(readme.parent)}\n\n{END}{after}"


def refresh(readme: Path, *, check: bool) -> str | None:
    """Bring a README up to date, or only look; return what there is to say about it."""
    if not readme.exists():
        raise StaleSourceError(f"{_shown(readme)} does not exist")
    fresh = refreshed(readme)
    if fresh == readme.read_text(encoding="utf-8"):
        return None
    if check:
        raise StaleSourceError(f"{_shown(readme)} is stale: run python scripts/terraform_docs.py")
    readme.write_text(fresh, encoding="utf-8")
    return f"{_shown(readme)} written"


def main() -> int:
    """Rewrite or check every README; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if stale")
    check = parser.parse_args().check
    faults = 0
    for folder in sorted(path for path in TERRAFORM.iterdir() if path.is_dir()):
        try:
            if said := refresh(folder / "README.md", check=check):
                print(said)
        except StaleSourceError as fault:
            print(fault, file=sys.stderr)
            faults += 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
