"""The way of one stack to health: each look takes the next legal step."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from corral.clients.rancher.client import RancherClient
from corral.domain.set_up.stacks import (
    KnownStack,
    StackMove,
    StackWish,
    describe,
    find_stack,
    next_move,
)
from corral.domain.set_up.steps import Did
from corral.errors import PrerequisiteError, RancherConflictError, RancherGoneError

TROUBLE: Final = frozenset({StackMove.REMOVE, StackMove.CANCEL})
"""What is only done to a stack that Rancher could not make."""


@dataclass
class StackWay:
    """Where one stack of an environment is, and what was done about it."""

    rancher: RancherClient
    project_id: str
    environment: str
    wish: StackWish
    did: Did = Did.KEPT
    _taken: set[StackMove] = field(default_factory=set)

    def go_on(self) -> list[str]:
        """Look, take the next step, and say what is still missing.

        Raises:
            PrerequisiteError: Rancher could not make or upgrade the stack.
        """
        stacks = self.rancher.stacks(self.project_id)
        known = find_stack(self.environment, self.wish.name, stacks)
        move = next_move(self.wish, known)
        if move is StackMove.KEPT:
            return []
        if known and move in TROUBLE:
            self._check_progress(known)
        with suppress(RancherConflictError, RancherGoneError):
            self._take(move, known)
        return self._describe(known)

    def _check_progress(self, known: KnownStack) -> None:
        """See to it that nothing that failed in this run is begun again in it."""
        if self._taken & {StackMove.CREATE, StackMove.UPGRADE}:
            raise PrerequisiteError(
                f"Rancher could not make the stack {self.wish.name} of environment"
                f" {self.environment} from {self.wish.version.id}: {describe(self.wish, known)}."
                " Correct what it says, in the stack's answers perhaps, and run again."
            )

    def _take(self, move: StackMove, known: KnownStack | None) -> None:
        """Take one step; where somebody was faster, the next look sees it."""
        rancher, place = self.rancher, self.project_id
        match move, known:
            case StackMove.CREATE, _:
                self._begin(move, Did.CREATED)
                rancher.create_stack(place, self.wish)
            case StackMove.UPGRADE, KnownStack(id=stack_id):
                self._begin(move, Did.CHANGED)
                rancher.upgrade_stack(place, stack_id, self.wish)
            case StackMove.FINISH | StackMove.CANCEL, KnownStack(id=stack_id):
                self._begin(move, Did.CHANGED)
                rancher.act_on_stack(place, stack_id, move)
            case StackMove.REMOVE, KnownStack(id=stack_id):
                self._begin(move, Did.REPLACED)
                rancher.act_on_stack(place, stack_id, move)

    def _begin(self, move: StackMove, did: Did) -> None:
        """Remember a step before it is taken: an answer may get lost, the step may not be."""
        self._taken.add(move)
        if self.did is Did.KEPT:
            self.did = did

    def _describe(self, known: KnownStack | None) -> list[str]:
        if known is None:
            return ["it is not there"]
        words = describe(self.wish, known)
        with suppress(RancherGoneError):
            return [words, *self.rancher.services_of(self.project_id, known.id)]
        return [words]
