"""Whose turn it is, judged by Prefect's times alone."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prefect.client.schemas.objects import FlowRun, State, StateType

from tasks.turns import Turn, find_reason_to_skip, judge, turn_of

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
LATE = timedelta(minutes=5)
MINE = Turn("b", "mine", NOON, timedelta(seconds=20))


def turn(id_: str, after: float = 0) -> Turn:
    return Turn(id_, f"run-{id_}", NOON + timedelta(seconds=after), timedelta())


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ([], ""),
        ([turn("a", after=1)], ""),
        ([turn("c", after=-1)], "The run run-c is at it since 11:59:59 UTC: one is enough."),
        ([turn("a")], "The run run-a is at it since 12:00:00 UTC: one is enough."),
        ([turn("c")], ""),
        ([turn("c", after=1), turn("d", after=-60)], "The run run-d is at it since 11:59:00 UTC"),
    ],
    ids=["alone", "later", "earlier", "same time, first", "same time, second", "any of them"],
)
def test_the_run_that_began_first_goes_on(others, reason):
    assert judge(MINE, others, LATE).startswith(reason)
    assert bool(judge(MINE, others, LATE)) is bool(reason)


def test_of_two_runs_exactly_one_goes_on():
    turns = [turn("a"), turn("b"), turn("c", after=-1), turn("d", after=3)]
    for one in turns:
        for other in turns:
            if one != other:
                assert bool(judge(one, [other], LATE)) is not bool(judge(other, [one], LATE))


@pytest.mark.parametrize(("late_s", "skips"), [(20, False), (300, False), (301, True)])
def test_a_run_of_a_backlog_is_skipped(late_s, skips):
    mine = Turn("b", "mine", NOON, timedelta(seconds=late_s))

    assert judge(mine, [], LATE).startswith("This run began 301 s after its time" if skips else "")
    assert bool(judge(mine, [], LATE)) is skips


def run(**facts: object) -> FlowRun:
    running = State(type=StateType.RUNNING, timestamp=NOON)
    given = {
        "expected_start_time": NOON - timedelta(seconds=30),
        "start_time": NOON,
        "run_count": 1,
    }
    return FlowRun(
        id=UUID(int=1), flow_id=UUID(int=2), name="x", **{"state": running} | given | facts
    )


@pytest.mark.parametrize(
    ("facts", "began", "late_s"),
    [
        ({}, NOON, 30),
        ({"expected_start_time": None}, NOON, 0),
        ({"run_count": 2, "start_time": NOON - LATE, "expected_start_time": NOON - LATE}, NOON, 0),
        (
            {"state": State(type=StateType.CANCELLING), "start_time": NOON - LATE},
            NOON - LATE,
            30 - 300,
        ),
    ],
    ids=["scheduled", "called", "put back by hand", "being cancelled"],
)
def test_when_a_run_began_and_how_late(facts, began, late_s):
    found = turn_of(run(**facts))

    assert (found.began, found.late) == (began, timedelta(seconds=late_s))


def test_a_run_that_has_not_begun_comes_after_all_others():
    cancelled_early = run(state=State(type=StateType.CANCELLING), start_time=None, run_count=0)

    assert not turn_of(cancelled_early).is_before(MINE)


def test_outside_of_a_run_there_is_no_reason():
    none = timedelta()

    assert not find_reason_to_skip("x", "lab", late_after=none, alone=True, longest=none)
