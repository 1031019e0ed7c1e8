"""Stacks from a catalog: the next step to take with one, wherever an earlier run has left it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from corral.domain.set_up.catalog import SCHEME, TemplateVersion, fill_in
from corral.domain.set_up.steps import is_gone
from corral.errors import AmbiguousError

HEALTHY: Final = "healthy"
# One that could not be made goes nowhere from there, and never ran.
# Source: cattle, spring-process-context.xml (stack.error starts at activating only).
BROKEN: Final = "error"
MASK: Final = "***"
SHORTEST_MASKED: Final = 4
"""Characters of what is masked in Rancher's words: less is in any word, and is no secret."""


@dataclass(frozen=True, slots=True)
class StackWish:
    """A stack as it shall be; `answers` are to all questions, `secret` names those to hide."""

    name: str
    version: TemplateVersion
    answers: Mapping[str, str] = field(repr=False)
    is_infrastructure: bool
    secret: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        name: str,
        version: TemplateVersion,
        answers: Mapping[str, str],
        *,
        infrastructure: bool,
        secret: Collection[str] = (),
    ) -> "StackWish":
        """Return the wish with the questions that nobody answered at their defaults."""
        return cls(name, version, fill_in(version, answers), infrastructure, frozenset(secret))


@dataclass(frozen=True, slots=True)
class KnownStack:
    """A stack as Rancher shows it.

    `message` is what it says of what went wrong, in which any answer may be quoted: `describe`
    hides the secret ones.
    """

    id: str
    name: str
    state: str
    health: str
    external_id: str
    answers: Mapping[str, str] = field(repr=False)
    is_infrastructure: bool
    message: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Say how it is, as a part of a sentence."""
        return f"it is {self.state} and {self.health or 'of unknown health'}"


class StackMove(StrEnum):
    """What is to be done next with a stack that shall be there."""

    CREATE = "create"
    REMOVE = "remove"
    UPGRADE = "upgrade"
    FINISH = "finishupgrade"
    CANCEL = "cancelupgrade"
    WAIT = "wait"
    KEPT = "kept"


def find_stack(environment: str, name: str, stacks: Sequence[KnownStack]) -> KnownStack | None:
    """Return the stack of a name; one that is being removed still holds it.

    Raises:
        AmbiguousError: Several answer to the name.
    """
    same = [one for one in stacks if one.name.casefold() == name.casefold()]
    living = [one for one in same if not is_gone(one.state)]
    if len(living) > 1:
        raise AmbiguousError(
            f"The stack {name} of environment {environment}", [one.id for one in living]
        )
    leaving = [one for one in same if one.state == "removing"]
    return next(iter([*living, *leaving]), None)


def describe(wish: StackWish, known: KnownStack) -> str:
    """Say how a stack is, as a part of a sentence, and what Rancher says of it; no secret is in it.

    What the stack was answered earlier, and is answered no longer, may have been secret too.
    """
    if not known.message:
        return str(known)
    public = {value for name, value in wish.answers.items() if name not in wish.secret}
    secrets = {*wish.answers.values(), *known.answers.values()} - public
    return f"{known} ({_mask(known.message, secrets)})"


def _mask(words: str, secrets: Collection[str]) -> str:
    """Return words without secrets, of whose lines one alone may be quoted."""
    pieces = {part.strip() for secret in secrets for part in (secret, *secret.splitlines())}
    for piece in sorted(pieces, key=len, reverse=True):  # one may be a part of another
        if len(piece) >= SHORTEST_MASKED:
            words = words.replace(piece, MASK)
    return words


def find_fault(template: str, known: KnownStack | None, *, infrastructure: bool) -> str:
    """Return why a stack cannot become the wanted one; "" if it can."""
    if known is None or is_gone(known.state):
        return ""
    if not known.external_id.startswith(f"{SCHEME}{template}:"):
        origin = known.external_id.removeprefix(SCHEME) or "no catalog"
        return (
            f"it is there already, from {origin} and not from {template}: remove it, or choose"
            " another name"
        )
    if known.is_infrastructure != infrastructure:
        kind = "the environment" if known.is_infrastructure else "its users"
        return (
            f"it belongs to {kind}, and Rancher never changes that: write infrastructure:"
            f" {str(known.is_infrastructure).lower()}, or remove it"
        )
    return ""


def next_move(wish: StackWish, known: KnownStack | None) -> StackMove:
    """Return the next legal step towards a healthy stack of the wanted version and answers.

    An upgrade is finished only once the new containers are healthy: until then somebody can roll
    it back. One towards something else is finished at once, since nothing else can come after it.

    Source: cattle, spring-process-context.xml (stack.*).
    """
    if known is None:
        return StackMove.CREATE
    is_wanted = is_as_wished(wish, known)
    if known.state == "active":
        return _settled(known) if is_wanted else StackMove.UPGRADE
    if known.state == "upgraded":
        is_ready = known.health == HEALTHY or not is_wanted
        return StackMove.FINISH if is_ready else StackMove.WAIT
    return _leave_trouble(known)


def is_as_wished(wish: StackWish, known: KnownStack) -> bool:
    """Say whether version and answers are the wanted ones.

    A question that the stack has no answer to counts as answered by its default; an answer that
    the version does not ask for does not count.
    """
    found = fill_in(wish.version, known.answers)
    answers = {name: found.get(name) for name in wish.answers}
    return known.external_id == wish.version.external_id and answers == wish.answers


def _leave_trouble(known: KnownStack) -> StackMove:
    """Return the way out of a state in which no stack stays: most end by themselves.

    An upgrade that Rancher cannot make of the files stays as it is and says why, until it is
    cancelled.

    Source: rancher/event-subscriber, events/external_handler.go: stack.error does not start there.
    """
    if known.state == "upgrading" and known.message:
        return StackMove.CANCEL
    ways = {"canceled-upgrade": StackMove.UPGRADE, BROKEN: StackMove.REMOVE}
    return ways.get(known.state, StackMove.WAIT)


def _settled(known: KnownStack) -> StackMove:
    return StackMove.KEPT if known.health == HEALTHY else StackMove.WAIT
