"""How much faster phantoms are removed side by side than one after the other."""

from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.herd.double import open_double

HOSTS = 2_000
PHANTOMS = 500
SAMPLE = 8
"""Phantoms that the reaper gets to remove; at its pace all of them would take more than an hour."""


def measure_removing(folder: Path) -> list[Figure]:
    """Remove a few phantoms with a reaper, and then the others with corral."""
    with open_double(folder) as double:
        double.seed(HOSTS, PHANTOMS + SAMPLE)
        reaper = double.measure("reaper", str(SAMPLE))
        corral = double.measure("removal")
    if (reaper.counts, corral.counts) != ({"removed": SAMPLE}, {"removed": PHANTOMS}):
        raise RuntimeError(f"removed {reaper.counts} and {corral.counts}")
    serial_s = reaper.seconds / SAMPLE * PHANTOMS
    made_of = (
        f"{serial_s:.0f} s one after the other, by {SAMPLE} of them,"
        f" against {corral.seconds:.0f} s, ratio"
    )
    what = f"removing {PHANTOMS} phantoms, how many times faster"
    return [Figure(what, serial_s / corral.seconds, 20, made_of=made_of, at_least=True)]
