"""`python -m benchmarks [build] [herd] [deaths]`: measure, print, and fail on a broken promise."""

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.build import measure_build
from benchmarks.figures import Figure
from benchmarks.herd.deaths import measure_deaths
from benchmarks.herd.reading import measure_reading
from benchmarks.herd.removing import measure_removing
from benchmarks.herd.unchanged import measure_unchanged

Measure = Callable[[Path], list[Figure]]

PARTS: dict[str, Sequence[Measure]] = {
    "build": (measure_build,),
    "herd": (measure_reading, measure_removing, measure_unchanged),
    "deaths": (measure_deaths,),
}


def main() -> int:
    """Run the benchmarks that were asked for, all by default, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=" or ".join(PARTS))
    chosen = parser.parse_args().parts or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    logging.getLogger("corral").setLevel(logging.WARNING)
    print(f"on {os.cpu_count()} cores", flush=True)
    figures = [figure for part in chosen for measure in PARTS[part] for figure in _run(measure)]
    return int(not all(figure.is_kept for figure in figures))


def _run(measure: Measure) -> list[Figure]:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="corral-bench-") as folder:
        figures = measure(Path(folder))
    for figure in figures:
        print(figure)
    took = time.monotonic() - began
    print(f"{measure.__name__} took {took:.0f} s", file=sys.stderr, flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
