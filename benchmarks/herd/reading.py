"""How long reading and judging a herd takes, how many calls, how much memory, and how it grows."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import fmean

from benchmarks.figures import Figure, ratio
from benchmarks.herd.bare import EC2_PAGE, RANCHER_PAGE
from benchmarks.herd.double import Double, open_double
from benchmarks.herd.measured import Measured

ROUNDS = 2
"""How often both are measured, in turns."""
GROWTH = 1.2
"""How much more a host may cost in a herd of ten times the size: two runs differ by that much."""


@dataclass(frozen=True)
class Size:
    """A herd: every twentieth host is a phantom, and as many instances are somebody else's."""

    hosts: int

    @property
    def phantoms(self) -> int:
        """Hosts whose instances are terminated."""
        return self.hosts // 20

    @property
    def instances(self) -> int:
        """What EC2 lists."""
        return self.hosts + self.phantoms

    @property
    def pages(self) -> int:
        """The least number of calls in which both lists can be read."""
        return ceil(self.hosts / RANCHER_PAGE) + ceil(self.instances / EC2_PAGE)

    @property
    def verdicts(self) -> Mapping[str, int]:
        """What a survey has to find."""
        return {"healthy": self.hosts - self.phantoms, "orphaned": self.phantoms}

    def __str__(self) -> str:
        """Say how many hosts there are."""
        return f"{self.hosts} hosts"


SMALL, MIDDLE, LARGE = Size(1_000), Size(10_000), Size(100_000)


def measure_reading(folder: Path) -> list[Figure]:
    """Survey herds of three sizes, and read the one in the middle with a bare loop as well."""
    with _herd(folder, SMALL) as double:
        small = [_survey(double, SMALL) for _ in range(ROUNDS)]
    with _herd(folder, MIDDLE) as double:
        pairs = [(_survey(double, MIDDLE), _read(double, MIDDLE)) for _ in range(ROUNDS)]
    with _herd(folder, LARGE) as double:
        large = _survey(double, LARGE)
    middle, bare = [ours for ours, _ in pairs], [theirs for _, theirs in pairs]
    extra_calls = max(one.calls for one in middle) - MIDDLE.pages
    return [
        ratio(f"reading and judging {MIDDLE}", _best_s(middle), _best_s(bare), 2.0),
        Figure(f"calls for {MIDDLE} beyond its {MIDDLE.pages} pages", extra_calls, 5),
        Figure(f"memory for {MIDDLE}", max(one.peak_mb for one in middle), 400, " MB"),
        Figure(f"memory for {LARGE}", large.peak_mb, 2000, " MB"),
        _growth(SMALL, _mean_s(small), MIDDLE, _mean_s(middle)),
        _growth(MIDDLE, _mean_s(middle), LARGE, large.seconds),
    ]


@contextmanager
def _herd(folder: Path, size: Size) -> Iterator[Double]:
    with open_double(folder) as double:
        double.seed(size.hosts, size.phantoms, strangers=size.phantoms)
        yield double


def _survey(double: Double, size: Size) -> Measured:
    return _checked(double.measure("survey"), size.verdicts)


def _read(double: Double, size: Size) -> Measured:
    return _checked(double.measure("bare"), {"hosts": size.hosts, "instances": size.instances})


def _checked(measured: Measured, expected: Mapping[str, int]) -> Measured:
    """Return what was measured, if what came out is right."""
    if measured.counts != expected:
        raise RuntimeError(f"found {measured.counts} instead of {expected}")
    return measured


def _best_s(several: Sequence[Measured]) -> float:
    """Return the time that was disturbed least."""
    return min(measured.seconds for measured in several)


def _mean_s(several: Sequence[Measured]) -> float:
    """Return the time with its share of disturbance, which a long run does not escape either."""
    return fmean(measured.seconds for measured in several)


def _growth(smaller: Size, before_s: float, larger: Size, after_s: float) -> Figure:
    what = f"time for {larger}, by that for {smaller}"
    return ratio(what, after_s, before_s, GROWTH * larger.hosts / smaller.hosts)
