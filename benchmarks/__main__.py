"""`python -m benchmarks`: measure, print, and fail if a promise is not kept."""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.build import measure_build


def main() -> int:
    """Run every benchmark and return the exit code."""
    print(f"on {os.cpu_count()} cores; this takes about fifteen minutes", flush=True)
    with tempfile.TemporaryDirectory(prefix="corral-bench-") as folder:
        figures = measure_build(Path(folder))
    for figure in figures:
        print(figure)
    return int(any(figure.value > figure.limit for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
