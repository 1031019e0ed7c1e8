"""What a look at the herd came to, small enough to be handed on: the healthy hosts are counted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from corral.clients.rancher.removal import Outcome, OutcomeKind
from corral.domain.alerts import Problem, Severity
from corral.domain.herd import Assessment, Finding, Removal, Verdict, View, counts
from corral.domain.herd.wording import named
from corral.domain.set_up.environments import KnownProject
from corral.errors import CorralError
from tasks.refusals import ACCESS_KINDS

REMOVAL = "removal"
"""Kind of the problem that a host could not be removed, or not be put back into service."""

TITLES = {
    OutcomeKind.FAILED: "could not be removed",
    OutcomeKind.OUT_OF_SERVICE: "stays, but out of service",
}


@dataclass(frozen=True, slots=True)
class Survey:
    """What is to be said and done after a look at the herd."""

    counts: Mapping[str, int] = field(default_factory=dict)
    """How many there are of each verdict, the healthy ones too."""
    findings: tuple[Finding, ...] = ()
    """Everything that is not just healthy."""
    projects: tuple[KnownProject, ...] = ()
    refusals: tuple[str, ...] = ()
    """Why nothing at all is removed."""
    removals: tuple[Removal, ...] = ()
    capped: tuple[str, ...] = ()
    """Why nothing is removed from an environment."""
    problems: tuple[Problem, ...] = ()
    settled: frozenset[str] = frozenset()
    """Kinds of problems that this look could judge."""
    unbuilt: str = ""
    """Why there is nothing to look at, if so."""

    @classmethod
    def of(cls, view: View, assessment: Assessment) -> "Survey":
        """Return what people and the next steps need of an assessment."""
        judged = set() if assessment.refusals else {REMOVAL}
        return cls(
            counts=counts(assessment.findings),
            findings=tuple(f for f in assessment.findings if f.verdict is not Verdict.HEALTHY),
            projects=tuple(view.projects),
            refusals=tuple(refusal.sentence for refusal in assessment.refusals),
            removals=assessment.removals,
            capped=assessment.capped,
            problems=assessment.problems,
            settled=assessment.settled | ACCESS_KINDS | judged,
        )

    @classmethod
    def of_problem(cls, problem: Problem) -> "Survey":
        """Return the survey of a herd that could not be read: nothing is known, nothing is done."""
        return cls(refusals=(problem.text,), problems=(problem,))

    def environment(self, project_id: str) -> str:
        """Return the name of an environment; its id, if it has none."""
        names = {project.id: project.name for project in self.projects}
        return names.get(project_id) or project_id

    def __str__(self) -> str:
        """Say how many there are of what."""
        if self.refusals and not self.counts:
            return "the herd could not be read"
        kinds = ", ".join(f"{number} {verdict}" for verdict, number in self.counts.items())
        return kinds or "no hosts"


def fail_all(removals: Sequence[Removal], error: CorralError) -> tuple[Outcome, ...]:
    """Return the outcome of removals that an error has stopped before they began."""
    why = f"nothing could be looked at a second time: {error}"
    return tuple(
        Outcome(
            one.host.id,
            OutcomeKind.FAILED,
            f"host {one.host.id} was not removed, since {why}",
            cause=why,
        )
        for one in removals
    )


def find_problems(survey: Survey, outcomes: Sequence[Outcome]) -> list[Problem]:
    """Return everything that people should know after a run; one cause is one problem."""
    found = [*_of_causes(outcomes), *_of_hosts(survey, outcomes)]
    return [*survey.problems, *found, *_lasting(survey, outcomes)]


def _of_causes(outcomes: Sequence[Outcome]) -> Iterator[Problem]:
    """Yield a problem if one cause has kept all hosts from being removed."""
    for cause in dict.fromkeys(outcome.cause for outcome in outcomes if outcome.cause):
        kept = [outcome.host_id for outcome in outcomes if outcome.cause == cause]
        title = "phantoms could not be removed"
        text = f"None of {named(kept)} was removed, since {cause}"
        yield Problem(REMOVAL, "", "", Severity.WARNING, title, text)


def _of_hosts(survey: Survey, outcomes: Sequence[Outcome]) -> Iterator[Problem]:
    """Yield a problem for each host with which something is wrong that is its own."""
    places = {one.host.id: one.host.project_id for one in survey.removals}
    for outcome in outcomes:
        if outcome.kind in TITLES and not outcome.cause:
            place = places.get(outcome.host_id, "")
            where = f"host {outcome.host_id} of {survey.environment(place)}"
            title = f"{where} {TITLES[outcome.kind]}"
            yield Problem(
                REMOVAL, place, outcome.host_id, Severity.WARNING, title, outcome.sentence
            )


def _lasting(survey: Survey, outcomes: Sequence[Outcome]) -> Iterator[Problem]:
    """Yield what keeps alerts about removals open: hosts that nobody has got any further with.

    A phantom that had not its turn, or is over a limit now, still could not be removed, and a host
    that we could not put back is still out of service.
    """
    removed = {outcome.host_id for outcome in outcomes if outcome.kind is OutcomeKind.REMOVED}
    for finding in survey.findings:
        host = finding.host
        if host is None or host.id in removed:
            continue
        if finding.evidence:
            yield _still("", "")
        if finding.evidence or finding.verdict is Verdict.INACTIVE:
            yield _still(host.project_id, host.id)


def _still(scope: str, subject: str) -> Problem:
    return Problem(REMOVAL, scope, subject, Severity.WARNING, "", "", opens=False)
