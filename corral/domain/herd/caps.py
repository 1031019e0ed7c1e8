"""How many hosts a run may remove from each environment; above that it removes none of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from corral.domain.herd.matching import is_going
from corral.domain.herd.verdicts import Evidence, Finding, Removal, Verdict
from corral.domain.herd.view import Rule, View
from corral.domain.herd.wording import named


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be removed, and by environment's id why not more."""

    removals: tuple[Removal, ...]
    capped: Mapping[str, str]


def plan_removals(findings: Iterable[Finding], view: View, rule: Rule) -> Plan:
    """Return what may be removed of what is proven dead."""
    sizes = Counter(host.project_id for host in view.hosts if not is_going(host))
    names = {project.id: project.name for project in view.projects}
    dead = _dead_by_project(findings)
    removals: list[Removal] = []
    capped = {}
    for project_id, wanted in sorted(dead.items()):
        allowed, sentences = _cap(wanted, sizes[project_id], rule)
        removals += allowed
        if sentences:
            where = names.get(project_id, project_id)
            capped[project_id] = f"Environment {where}: {' '.join(sentences)}"
    return Plan(tuple(removals), capped)


def _dead_by_project(findings: Iterable[Finding]) -> Mapping[str, list[Removal]]:
    dead = defaultdict(list)
    for finding in findings:
        host, evidence = finding.host, finding.evidence
        if finding.verdict is Verdict.ORPHANED and host is not None and evidence is not None:
            removal = Removal(host, finding.instance_id, evidence, finding.reason)
            dead[host.project_id].append(removal)
    return dead


def _cap(wanted: Sequence[Removal], size: int, rule: Rule) -> tuple[list[Removal], list[str]]:
    """Return what may go of one environment, and a sentence for each cap that it is over."""
    absent = [removal for removal in wanted if removal.evidence is Evidence.ABSENT]
    too_absent = _say_too_absent(absent, rule)
    allowed = [
        removal for removal in wanted if not too_absent or removal.evidence is not Evidence.ABSENT
    ]
    too_many = _say_too_many(allowed, size, rule)
    return [] if too_many else allowed, [said for said in (too_many, too_absent) if said]


def _say_too_absent(absent: Sequence[Removal], rule: Rule) -> str:
    if len(absent) <= rule.max_absent_removals:
        return ""
    return (
        f"EC2 just does not know the instances of {_hosts(absent)}, and"
        f" {rule.max_absent_removals} of that kind may be removed in one run"
        " (reconcile.max_absent_removals): none of them is. See what became of these instances,"
        " and raise the limit for a while if they are gone."
    )


def _say_too_many(dead: Sequence[Removal], size: int, rule: Rule) -> str:
    # Rounded up, so that a small environment can lose its one phantom.
    share = -(-size * rule.max_removal_percent // 100)
    limit = min(rule.max_removals, share)
    if len(dead) <= limit:
        return ""
    return (
        f"death is proven of {_hosts(dead)}, and {limit} of {size} may be removed in one run"
        f" (reconcile.max_removals {rule.max_removals}, reconcile.max_removal_percent"
        f" {rule.max_removal_percent}): none of them is. See what ended so many machines at once,"
        " and raise the limits for a while if they are gone."
    )


def _hosts(removals: Sequence[Removal]) -> str:
    count = len(removals)
    names = named([removal.host.id for removal in removals])
    return f"{count} {'host' if count == 1 else 'hosts'} ({names})"
