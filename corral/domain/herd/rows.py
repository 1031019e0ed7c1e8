"""The herd as a table for people."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from corral.domain.herd.verdicts import Finding, Verdict
from corral.domain.herd.wording import shortened
from corral.domain.set_up.environments import KnownProject

# What was or is to be removed first, then what a person should look at, then what passes by itself.
ORDER = (
    Verdict.ORPHANED,
    Verdict.STUCK,
    Verdict.VETOED,
    Verdict.AMBIGUOUS,
    Verdict.MISSING,
    Verdict.SILENT,
    Verdict.INACTIVE,
    Verdict.DYING,
    Verdict.STOPPED,
    Verdict.LEAVING,
    Verdict.JOINING,
    Verdict.FOREIGN,
    Verdict.HEALTHY,
)
RANKS = {verdict: rank for rank, verdict in enumerate(ORDER)}


def rows(
    findings: Iterable[Finding], outcomes: Mapping[str, str], projects: Sequence[KnownProject]
) -> list[dict[str, str]]:
    """Return one row for each host that is not healthy, the worst first.

    Args:
        findings: What was found.
        outcomes: Host id to what was done with it.
        projects: Rancher's environments.
    """
    names = {project.id: project.name for project in projects}
    told = [finding for finding in findings if _is_told(finding, outcomes)]
    return [_row(finding, outcomes, names) for finding in sorted(told, key=_rank)]


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """Return how many there are of each verdict that was given, the worst first."""
    found = Counter(finding.verdict for finding in findings)
    return {verdict.value: found[verdict] for verdict in ORDER if found[verdict]}


def _is_told(finding: Finding, outcomes: Mapping[str, str]) -> bool:
    if finding.verdict is not Verdict.HEALTHY:
        return True
    return finding.host is not None and finding.host.id in outcomes


def _rank(finding: Finding) -> tuple[int, str, str]:
    host = finding.host.id if finding.host else ""
    return RANKS[finding.verdict], finding.project_id, host or finding.instance_id


def _row(finding: Finding, outcomes: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    host = finding.host
    return {
        "host": host.id if host else "",
        "name": host.name if host else "",
        "instance": shortened(finding.instance_id),
        "environment": names.get(finding.project_id, finding.project_id),
        "pool": finding.pool,
        "verdict": finding.verdict.value,
        "evidence": finding.evidence.value if finding.evidence else "",
        "why": finding.reason,
        "done": outcomes.get(host.id, "") if host else "",
    }
