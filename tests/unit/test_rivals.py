"""Which runs change a cluster, and when each began: judged by Prefect's states alone."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.schemas.objects import FlowRun, State, StateType

import flows
from tasks.rivals import CHANGING, NOT_YET, began_at, changes

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
PENDING, RUNNING, PAUSED = StateType.PENDING, StateType.RUNNING, StateType.PAUSED
CANCELLING, SCHEDULED, CRASHED = StateType.CANCELLING, StateType.SCHEDULED, StateType.CRASHED


@pytest.mark.parametrize(
    ("kinds", "minutes"),
    [
        ([], None),
        ([SCHEDULED, PENDING], None),
        ([SCHEDULED, PENDING, RUNNING], 2),
        ([RUNNING, PAUSED], 0),
        ([RUNNING, PAUSED, RUNNING], 0),
        ([PENDING, RUNNING, CANCELLING], 1),
        ([RUNNING, CRASHED], None),
        ([RUNNING, CRASHED, SCHEDULED, PENDING, RUNNING, PAUSED, RUNNING], 4),
    ],
)
def test_a_run_began_when_it_was_last_at_it_anew(kinds, minutes):
    states = [
        State(type=kind, timestamp=NOON + timedelta(minutes=number))
        for number, kind in enumerate(kinds)
    ]

    expected = NOT_YET if minutes is None else NOON + timedelta(minutes=minutes)
    assert began_at(reversed(states)) == expected


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"cluster": "lab"}, True),
        ({"cluster": "dev"}, False),
        ({}, False),
        ({"cluster": "lab", "roll_out": True}, True),
        ({"cluster": "lab", "roll_out": False}, False),
    ],
    ids=str,
)
def test_a_run_counts_that_changes_this_cluster(parameters, expected):
    run = FlowRun(id=UUID(int=1), flow_id=UUID(int=2), name="x", parameters=parameters)

    assert changes(run, "lab") is expected


def test_flows_that_take_turns_are_those_that_count():
    takers = {path.stem.replace("_", "-") for path in _files() if "take_turn" in _names_in(path)}

    assert takers <= set(CHANGING)
    written = {path.stem.replace("_", "-") for path in _files()}
    assert not (set(CHANGING) & written) - takers


def _files() -> list[Path]:
    return sorted(Path(flows.__path__[0]).glob("*.py"))


def _names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
