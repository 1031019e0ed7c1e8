"""Which state of the project this is, as git knows it."""

import subprocess
from pathlib import Path

UNKNOWN = "unknown"
DIRTY = "-dirty"

_ANSWER_S = 30
_LENGTH = 12


def revision_of(folder: Path) -> str:
    """Return the commit of a checkout, `-dirty` if files differ from it; `unknown` without git."""
    try:
        commit = _git(folder, "rev-parse", f"--short={_LENGTH}", "HEAD")
        changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return commit + (DIRTY if changes else "")


def _git(folder: Path, *words: str) -> str:
    answer = subprocess.run(
        ["git", "-C", folder, *words], capture_output=True, check=True, text=True, timeout=_ANSWER_S
    )
    return answer.stdout.strip()
