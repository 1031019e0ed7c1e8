"""What a look at the herd came to, small enough to be handed on: the healthy hosts are counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from corral.clients.rancher.removal import Outcome, OutcomeKind
from corral.domain.access import KnownProject
from corral.domain.alerts import Problem, Severity
from corral.domain.herd import Assessment, Finding, Removal, Verdict, View, counts
from corral.errors import CorralError
from tasks.refusals import ACCESS_KINDS

REMOVAL = "removal"
"""Kind of the problem that Rancher refuses to remove a phantom."""


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
    sentence = "host {} was not removed, since nothing could be looked at a second time: {}"
    return tuple(
        Outcome(one.host.id, OutcomeKind.FAILED, sentence.format(one.host.id, error))
        for one in removals
    )


def find_problems(survey: Survey, outcomes: Sequence[Outcome]) -> list[Problem]:
    """Return everything that people should know after a run."""
    places = {one.host.id: survey.environment(one.host.project_id) for one in survey.removals}
    return [
        *survey.problems,
        *(
            Problem(
                kind=REMOVAL,
                scope=places.get(outcome.host_id, ""),
                subject=outcome.host_id,
                severity=Severity.WARNING,
                title=f"phantom {outcome.host_id} could not be removed",
                text=outcome.sentence,
            )
            for outcome in outcomes
            if outcome.kind is OutcomeKind.FAILED
        ),
    ]
