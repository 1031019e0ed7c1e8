"""What a drain leaves for people: problems to be told, a table of what left, and a named end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from corral.domain.alerts import Problem, Severity
from corral.errors import CorralError
from tasks.fates import Fate, Handled
from tasks.listening import Heard

DEAD_LETTER = "dead-letter"
QUEUE = "queue"
MOST_NAMED = 5
"""Sentences about single machines in a message; the table has them all."""


@dataclass(frozen=True, slots=True)
class Posts:
    """Where a drain has to listen."""

    pools: tuple[str, ...] = ()
    """Those that have their queue."""
    missing: tuple[str, ...] = ()
    """Those that have none yet."""
    deaf: Mapping[str, CorralError] = field(default_factory=dict)
    """Why it is not known whether a pool has its queue."""
    unbuilt: str = ""
    """Why there is nothing to listen to; empty if there is."""
    refusal: Problem | None = None
    """What keeps the run from doing anything."""


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """How much lies in the dead-letter queues."""

    counts: Mapping[str, int] = field(default_factory=dict)
    """Messages by pool; a pool whose queue could not be read is missing."""
    deaf: Mapping[str, CorralError] = field(default_factory=dict)
    """Why a pool's queue could not be read."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Everything that one run came to."""

    cluster: str
    posts: Posts
    heard: Heard = field(default_factory=Heard)
    dead_letters: DeadLetters = field(default_factory=DeadLetters)

    @property
    def deaf(self) -> dict[str, CorralError]:
        """Why a queue of a pool could not be used, by pool."""
        return {**self.dead_letters.deaf, **self.posts.deaf, **self.heard.deaf}

    @property
    def left(self) -> tuple[Handled, ...]:
        """The machines whose work is still not done, each with what was said of it last."""
        newest = {(each.pool, each.instance_id): each for each in self.heard.handled}
        return tuple(each for each in newest.values() if each.fate is Fate.LEFT)

    @property
    def passed_on(self) -> tuple[Handled, ...]:
        """The machines whose hosts are still there, since nobody can tell whether they are."""
        fate = Fate.PASSED_ON
        return tuple(each for each in self.heard.handled if each.fate is fate and each.host_ids)

    @property
    def settled(self) -> frozenset[str]:
        """Kinds of problems that this run could judge.

        Not those of getting in: a reconcile, which asks AWS and Rancher for more, ends these.
        """
        if self.posts.refusal:
            return frozenset()
        return frozenset({QUEUE} if self.dead_letters.deaf else {QUEUE, DEAD_LETTER})

    def find_problems(self) -> list[Problem]:
        """Return what people should know."""
        refusals = [self.posts.refusal] if self.posts.refusal else []
        deaf = [_deaf(pool, error) for pool, error in self.deaf.items()]
        counts = self.dead_letters.counts.items()
        dead = [_dead_letter(self.cluster, pool, count) for pool, count in counts if count]
        return [*refusals, *deaf, *dead]

    @property
    def counts(self) -> str:
        """How many messages came to what, for people."""
        counts = Counter(each.fate for each in self.heard.handled)
        return ", ".join(f"{count} {fate}" for fate, count in counts.items()) or "no machine leaves"


def publish_drain(drain: Drain) -> None:
    """Leave a table of what the queues said and what became of it; none if they were silent."""
    if not drain.heard.handled:
        return
    table = [
        {
            "pool": each.pool,
            "instance": each.instance_id,
            "hosts": ", ".join(each.host_ids),
            "outcome": str(each.fate),
            "what": each.sentence,
        }
        for each in drain.heard.handled
    ]
    create_table_artifact(table, key=f"drained-{drain.cluster}", description=drain.counts)


def end_of_drain(drain: Drain, untold: Sequence[str]) -> State[str]:
    """Return the end of a run by its name, with what was done, what was not, and why."""
    name = name_end(drain, untold)
    make = Failed if name in ("Refused", "Partial") else Completed
    return make(name=name, message=_message(drain, untold), data=drain.cluster)


def name_end(drain: Drain, untold: Sequence[str] = ()) -> str:
    """Return what a run is called that came to this."""
    fates = {each.fate for each in drain.heard.handled}
    hears = set(drain.posts.pools) - drain.deaf.keys()
    if drain.posts.refusal or (drain.deaf and not hears and not fates):
        return "Refused"
    if drain.left or drain.passed_on or drain.deaf or untold:
        return "Partial"
    return "Drained" if fates & {Fate.DRAINED, Fate.EVACUATED, Fate.RESTORED} else "InStep"


def _message(drain: Drain, untold: Sequence[str]) -> str:
    undone = (*drain.left, *drain.passed_on)
    done = sorted(drain.heard.handled, key=lambda each: each not in undone)
    more = len(done) - MOST_NAMED
    return " ".join(
        [
            f"{drain.cluster}: {drain.counts}.",
            *(problem.text for problem in drain.find_problems()),
            *(each.sentence for each in done[:MOST_NAMED]),
            *([f"And {more} more, see the table."] if more > 0 else []),
            *(f"Pool {pool} has no queue yet: it is not built." for pool in drain.posts.missing),
            *untold,
        ]
    )


def _deaf(pool: str, error: CorralError) -> Problem:
    return Problem(
        kind=QUEUE,
        scope=pool,
        subject="",
        severity=Severity.ERROR,
        title=f"nobody hears which machines of pool {pool} leave",
        text=f"The queues of pool {pool} cannot be used: {error}",
    )


def _dead_letter(cluster: str, pool: str, count: int) -> Problem:
    queue = f"{cluster}-{pool}-terminations-failed"
    return Problem(
        kind=DEAD_LETTER,
        scope=pool,
        subject="",
        severity=Severity.ERROR,
        title=f"machines of pool {pool} could not be drained",
        text=(
            f"{count} {'message' if count == 1 else 'messages'} about machines of pool {pool}"
            f" failed until SQS gave up; see why in the logs of drain-hosts, then have SQS redrive"
            f" the queue {queue}, or purge it if the hosts are gone."
        ),
    )
