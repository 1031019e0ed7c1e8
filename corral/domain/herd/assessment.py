"""From what was read to what is to be done; nothing here does it."""

from collections.abc import Iterable

from corral.domain.alerts import Problem
from corral.domain.herd.caps import plan_removals
from corral.domain.herd.guards import find_doubt_of_absence, find_refusal
from corral.domain.herd.instances import Instance
from corral.domain.herd.judging import MOVING_STATES, Case, judge
from corral.domain.herd.matching import Match, Matching, is_going
from corral.domain.herd.missing import judge_instances
from corral.domain.herd.problems import (
    cap_problems,
    find_problems,
    guard_problem,
    remover_problems,
    settled_kinds,
)
from corral.domain.herd.verdicts import Assessment, Finding, Refusal, Removal
from corral.domain.herd.view import Rule, View
from corral.domain.herd.watch import Watch
from corral.domain.herd.wording import shortened
from corral.domain.hosts import Host


def assess(view: View, rule: Rule, watch: Watch) -> Assessment:
    """Return what is to be said and done about the herd.

    A guard that speaks lets nothing be removed; what was found is said all the same.

    Args:
        view: Both lists, whole.
        rule: What the run goes by.
        watch: What the run before has told.
    """
    matching = Matching(view, rule)
    matches = [matching.match(host) for host in view.hosts]
    staying = [match for match in matches if not is_going(match.host)]
    watch = _watch(view, rule, staying, watch)
    refusal = find_refusal(view, rule, staying, watch)
    doubt = find_doubt_of_absence(staying)
    case = Case(rule, view.now, view.records, matching, watch, doubt)
    findings = (*(judge(match, case) for match in matches), *judge_instances(view, rule))
    if refusal:
        return _refused(refusal, findings, view, watch)
    return _allowed(findings, view, rule, watch)


def may_still_be_removed(removal: Removal, fresh: Host | None, instance: Instance | None) -> str:
    """Return as a clause why a removal is cancelled after another look; empty if it may go on.

    Args:
        removal: The host as it was judged, and why.
        fresh: The host as Rancher has it now; None if it is gone, which needs no removal.
        instance: Its instance as EC2 has it now; None if EC2 does not know it.
    """
    if instance is not None and not instance.is_terminated:
        said = f"EC2 now says that {instance.id} is {instance.state}"
        return f"{said}, so the next run judges it anew"
    changed = _changes(removal.host, fresh) if fresh else []
    if changed:
        return f"it changed meanwhile ({'; '.join(changed)}), so the next run judges it anew"
    return ""


def _watch(view: View, rule: Rule, staying: Iterable[Match], before: Watch) -> Watch:
    return before.follow(
        servers=view.servers,
        moving=[host.id for host in view.hosts if host.state in MOVING_STATES],
        dying=[
            match.host.id for match in staying if match.is_dead and not match.host.is_disconnected
        ],
        absent=[match.host.id for match in staying if match.is_absent],
        now=view.now,
        quiet=rule.quiet,
        absence=rule.absence,
    )


def _refused(
    refusal: Refusal, findings: tuple[Finding, ...], view: View, watch: Watch
) -> Assessment:
    return Assessment(
        findings=findings,
        refusals=(refusal,),
        removals=(),
        capped=(),
        watch=watch.without_absence(),
        problems=(guard_problem(refusal), *remover_problems(view)),
        settled=settled_kinds(refusal),
    )


def _allowed(findings: tuple[Finding, ...], view: View, rule: Rule, watch: Watch) -> Assessment:
    plan = plan_removals(findings, view, rule)
    problems: tuple[Problem, ...] = (
        *find_problems(findings, view, rule, watch),
        *cap_problems(plan.capped, view),
        *remover_problems(view),
    )
    return Assessment(
        findings=findings,
        refusals=(),
        removals=plan.removals,
        capped=tuple(plan.capped.values()),
        watch=watch,
        problems=problems,
        settled=settled_kinds(None),
    )


def _changes(before: Host, after: Host) -> list[str]:
    """Return in what a host differs from what was judged; its name and actions say nothing."""
    pairs = (
        ("state", before.state, after.state),
        ("agent", before.agent_state, after.agent_state),
        ("address", before.address, after.address),
        ("host name", before.hostname, after.hostname),
        ("environment", before.project_id, after.project_id),
        ("instance", before.instance_id, after.instance_id),
        ("labels", before.labels, after.labels),
        ("date of creation", before.created, after.created),
    )
    return [
        f"{what} {shortened(after_it)}" if isinstance(after_it, str) else what
        for what, before_it, after_it in pairs
        if before_it != after_it
    ]
