"""What a task of set-up says it did, when its first try failed after it had written something."""

import logging
from collections.abc import Iterator
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from corral.domain.set_up.steps import Did, Step
from corral.errors import RancherUnreachableError
from tasks import waiting
from tasks.waiting import told

MADE = Step("environment lab", Did.CREATED)
FOUND = Step("environment lab", Did.KEPT)
OTHER = Step("environment other", Did.KEPT)
LATER = Step("environment other", Did.CREATED)


class Runs:
    """Which task runs at the moment, as Prefect says it: all tries of one have its id."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> UUID:
        self.id = uuid4()
        return self.id

    def get(self) -> SimpleNamespace:
        return SimpleNamespace(task_run=SimpleNamespace(id=self.id))


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    found = Runs()
    monkeypatch.setattr(waiting, "TaskRunContext", found)
    monkeypatch.setattr(waiting, "get_run_logger", logging.getLogger)
    return found


def broken_off(*steps: Step) -> Iterator[Step]:
    yield from steps
    raise RancherUnreachableError("no answer in time")


def fail(*steps: Step) -> None:
    with pytest.raises(RancherUnreachableError):
        told(broken_off(*steps))


def test_what_a_try_made_before_it_failed_is_not_forgotten():
    fail(MADE)

    assert told([FOUND, OTHER]) == [MADE, OTHER]


def test_what_several_tries_made_is_told_once_each():
    fail(MADE)
    fail(FOUND, LATER)

    assert told([FOUND, OTHER]) == [MADE, LATER]


def test_a_step_that_comes_up_only_when_it_is_taken_is_told_as_well():
    fail(Step("names at GitHub", Did.CHANGED))

    assert told([OTHER]) == [Step("names at GitHub", Did.CHANGED), OTHER]


def test_a_second_change_of_the_same_is_told_too():
    fail(MADE)

    assert told([Step(MADE.what, Did.CHANGED)]) == [MADE, Step(MADE.what, Did.CHANGED)]


def test_a_first_try_that_succeeds_tells_what_it_did():
    assert told([MADE, OTHER]) == [MADE, OTHER]


def test_another_task_knows_nothing_of_it(runs):
    fail(MADE)
    runs.begin()

    assert told([FOUND]) == [FOUND]
