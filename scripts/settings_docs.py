"""Writes the table of corral's settings into docs/settings.md; with --check only compares.

Usage: python scripts/settings_docs.py [--check]
"""

import re
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from corral.settings import Settings  # noqa: E402 - found by the line above

PAGE = PROJECT / "docs" / "settings.md"
TABLE = re.compile(r"(?<=<!-- settings: begin -->\n).*(?=<!-- settings: end -->)", re.DOTALL)
HEAD = ["| variable | default | meaning |", "|---|---|---|"]


def table() -> str:
    """Return the table of all settings, in the order of the model."""
    return "\n".join([*HEAD, *(_row(name, field) for name, field in _fields())]) + "\n"


def filled(page: str) -> str:
    """Return the page with the table as it should be."""
    return TABLE.sub(lambda _: table(), page)


def _fields() -> list[tuple[str, Any]]:
    return list(Settings.model_fields.items())


def _row(name: str, field: Any) -> str:  # noqa: ANN401 - pydantic's FieldInfo
    prefix = str(Settings.model_config.get("env_prefix", ""))
    default = _default(field.get_default(call_default_factory=True))
    return f"| `{(prefix + name).upper()}` | {default} | {field.description} |"


def _default(value: object) -> str:
    if value is None:
        return "unset"
    if isinstance(value, Path):
        return f"`{value.relative_to(PROJECT)}`"
    return f"`{value}`"


def main() -> int:
    """Write or compare; 1 if the page was not as it should be."""
    page = PAGE.read_text(encoding="utf-8")
    if filled(page) == page:
        return 0
    if "--check" in sys.argv[1:]:
        print(f"{PAGE.relative_to(PROJECT)} is not up to date: run scripts/settings_docs.py")
        return 1
    PAGE.write_text(filled(page), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
