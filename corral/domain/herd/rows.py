"""The herd as a table for people."""

from collections.abc import Iterable, Mapping, Sequence

from corral.domain.access import KnownProject
from corral.domain.herd.verdicts import Finding


def rows(
    findings: Iterable[Finding], outcomes: Mapping[str, str], projects: Sequence[KnownProject]
) -> list[dict[str, str]]:
    """Return one row for each host that is not healthy, the worst first.

    Args:
        findings: What was found.
        outcomes: Host id to what was done with it.
        projects: Rancher's environments.
    """
    raise NotImplementedError


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """Return how many there are of each verdict."""
    raise NotImplementedError
