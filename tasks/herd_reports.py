"""What a reconcile leaves for people: a table of hosts that are not healthy, and a named end."""

from collections.abc import Sequence

from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from corral.clients.rancher.removal import Outcome, OutcomeKind
from corral.domain.herd import Verdict, rows
from tasks.surveys import Survey

LEFT = frozenset({OutcomeKind.FAILED, OutcomeKind.OUT_OF_SERVICE, OutcomeKind.UNDER_WAY})
MOST_NAMED = 5
"""Sentences about single hosts in a message; the table has them all."""
MOST_ROWS = 1000
"""Rows of the table: a browser shows no more in good time."""


def publish_herd(cluster: str, survey: Survey, outcomes: Sequence[Outcome] = ()) -> None:
    """Leave a table of every host that is not healthy, with its verdict and what was done."""
    done = {outcome.host_id: outcome.sentence for outcome in outcomes}
    table = rows(survey.findings, done, survey.projects)
    shown = f"; the first {MOST_ROWS} of {len(table)}" if len(table) > MOST_ROWS else ""
    create_table_artifact(table[:MOST_ROWS], key=f"hosts-{cluster}", description=f"{survey}{shown}")


def skipped(reason: str) -> State[str]:
    """Return the end of a run that was not needed."""
    return Completed(name="Skipped", message=reason)


def end_of_dry_run(cluster: str, survey: Survey) -> State[str]:
    """Return `DryRun` with what would be done, or `Refused` where the real run would do nothing."""
    if name_end(survey) == "Refused":
        return _end("Refused", cluster, survey, [*survey.refusals, *survey.capped])
    planned = [f"Would remove {one.host.id}: {one.reason}" for one in survey.removals]
    return _end("DryRun", cluster, survey, [*_some(planned), *survey.capped])


def end_of_reconcile(
    cluster: str, survey: Survey, outcomes: Sequence[Outcome], untold: Sequence[str]
) -> State[str]:
    """Return the end of a run by its name, with what was done, what was not, and why."""
    what_is_left_first = sorted(outcomes, key=lambda outcome: outcome.kind not in LEFT)
    told = _once_for_each_cause(what_is_left_first)
    sentences = [*survey.refusals, *survey.capped, *_some(told), *untold]
    return _end(name_end(survey, outcomes, untold), cluster, survey, sentences)


def name_end(survey: Survey, outcomes: Sequence[Outcome] = (), untold: Sequence[str] = ()) -> str:
    """Return what a run is called that came to this."""
    kinds = {outcome.kind for outcome in outcomes}
    if survey.refusals or (survey.capped and not survey.removals):
        return "Refused"
    if survey.capped or kinds & LEFT or survey.counts.get(Verdict.STUCK) or untold:
        return "Partial"
    return "Repaired" if OutcomeKind.REMOVED in kinds else "InStep"


def _end(name: str, cluster: str, survey: Survey, sentences: Sequence[str]) -> State[str]:
    message = " ".join([f"{cluster}: {survey}.", *map(_sentence, sentences)])
    make = Failed if name in ("Refused", "Partial") else Completed
    return make(name=name, message=message, data=cluster)


def _once_for_each_cause(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what became of each host; of several that one cause has stopped, of the first."""
    firsts = {outcome.cause or outcome.host_id: outcome.sentence for outcome in reversed(outcomes)}
    return [*reversed(firsts.values())]


def _some(sentences: Sequence[str]) -> list[str]:
    """Return as many as a message holds, and how many more there are."""
    more = len(sentences) - MOST_NAMED
    return [*sentences[:MOST_NAMED], *([f"And {more} more, see the table."] if more > 0 else [])]


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:].rstrip('.')}."
