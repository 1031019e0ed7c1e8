"""What of all findings a person has to be told, each with what to do."""

from collections.abc import Iterable, Iterator, Mapping

from corral.domain.alerts import Problem, Severity
from corral.domain.herd.guards import judged_guards
from corral.domain.herd.verdicts import Finding, Refusal, Verdict
from corral.domain.herd.view import Rule, View
from corral.domain.herd.watch import Watch
from corral.domain.hosts import Host

OVER_CAP, REMOVER = "over-cap", "remover"

# Only these verdicts need a person.
FOUND = {
    Verdict.STUCK: ("stuck", "is stuck on its way out of Rancher"),
    Verdict.MISSING: ("missing", "never became a host"),
    Verdict.AMBIGUOUS: ("ambiguous", "cannot be told from another machine, or dead from alive"),
    Verdict.VETOED: ("vetoed", "is dead in EC2, but not in Rancher"),
    Verdict.DYING: ("vetoed", "is dead in EC2, but not in Rancher"),
}

TITLES = {
    "empty-ec2": "EC2 lists no instances",
    "short-ec2": "EC2 does not know all instances",
    "restart": "Rancher was restarted",
    "mass": "most agents are silent",
    "canary": "no living host is found in EC2",
}


def find_problems(
    findings: Iterable[Finding], view: View, rule: Rule, watch: Watch
) -> Iterator[Problem]:
    """Yield a problem for each finding that needs a person."""
    names = _names(view)
    for finding in findings:
        if finding.verdict in FOUND and _is_ripe(finding, view, rule, watch):
            yield _found(finding, names)


def guard_problem(refusal: Refusal) -> Problem:
    """Return the problem that a guard spoke of."""
    title = f"nothing is removed: {TITLES[refusal.guard]}"
    return Problem(refusal.guard, "", "", Severity.ERROR, title, refusal.sentence)


def cap_problems(capped: Mapping[str, str], view: View) -> Iterator[Problem]:
    """Yield a problem for each environment in which more is dead than one run may remove."""
    names = _names(view)
    for project_id, sentence in capped.items():
        where = names.get(project_id, project_id)
        title = f"more hosts of {where} are dead than one run may remove"
        yield Problem(OVER_CAP, project_id, "", Severity.ERROR, title, sentence)


def remover_problems(view: View) -> Iterator[Problem]:
    """Yield a problem for each place where Rancher's own remover of hosts is switched on.

    It removes what has been disconnected for a while, without asking EC2, so that a cut network
    costs living hosts. An environment's own delay wins over the setting; negative is off.

    Source: cattle, HostDaoImpl.java, HostRemoveMonitorImpl.java.
    """
    if view.remove_delay_s is not None and view.remove_delay_s >= 0:
        yield _remover("", "in the setting host.remove.delay.seconds", view.remove_delay_s)
    for project in view.projects:
        delay_s = project.host_remove_delay_s
        if delay_s is not None and delay_s >= 0:
            where = f"in hostRemoveDelaySeconds of the environment {project.name}"
            yield _remover(project.id, where, delay_s)


def settled_kinds(refusal: Refusal | None) -> frozenset[str]:
    """Return the kinds of problems that a run could judge, which a guard may have cut short."""
    judged = judged_guards(refusal) | {REMOVER}
    if refusal:
        return judged
    return judged | {OVER_CAP} | {kind for kind, _ in FOUND.values()}


def _names(view: View) -> Mapping[str, str]:
    return {project.id: project.name for project in view.projects}


def _is_ripe(finding: Finding, view: View, rule: Rule, watch: Watch) -> bool:
    """Say whether it has lasted; every dying host looks contradictory for some minutes."""
    if finding.verdict not in (Verdict.DYING, Verdict.VETOED) or finding.host is None:
        return True
    since = watch.dying.get(finding.host.id)
    return since is not None and view.now - since >= rule.stuck_after


def _found(finding: Finding, names: Mapping[str, str]) -> Problem:
    kind, said = FOUND[finding.verdict]
    host = finding.host
    if host is None:
        subject = f"instance {finding.instance_id}"
        title = f"{subject} of {finding.pool} {said}"
        return Problem(
            kind, finding.pool, finding.instance_id, Severity.WARNING, title, finding.reason
        )
    where = names.get(host.project_id, host.project_id)
    title = f"host {_called(host)} of {where} {said}"
    return Problem(
        kind, host.project_id, host.id, Severity.WARNING, title, f"Host {host.id}: {finding.reason}"
    )


def _called(host: Host) -> str:
    return f"{host.id} ({host.name})" if host.name else host.id


def _remover(scope: str, where: str, delay_s: int) -> Problem:
    text = (
        f"Rancher's own remover is switched on {where}: it removes hosts that have been"
        f" disconnected for {delay_s} s without asking EC2, living ones too. Set it to -1."
    )
    title = "Rancher removes hosts by itself"
    return Problem(REMOVER, scope, "", Severity.WARNING, title, text)
