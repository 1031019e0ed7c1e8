"""The change of a password: what comes next, wherever the run before died."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from corral.domain.passwords import Rotation, Step, Stored, next_step
from corral.domain.standing import INSTANCE, STORED

MADE = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
OLD, NEW = MADE - timedelta(days=9), MADE + timedelta(minutes=5)
NOW_STORED = Stored("version-b", MADE)


def _state(stored: int, known: int, version_id: str = "version-b") -> dict[str, dict[str, Any]]:
    return {
        STORED: {"secret_string_wo_version": stored, "version_id": version_id},
        INSTANCE: {"password_wo_version": known},
    }


@pytest.mark.parametrize(
    ("resources", "launches", "rotation"),
    [
        pytest.param(_state(1, 1), [NEW] * 3, Rotation(Step.CHANGE, 2), id="nothing is left"),
        pytest.param(_state(4, 4), [NEW] * 3, Rotation(Step.CHANGE, 5), id="for the fifth time"),
        pytest.param(_state(2, 1), [OLD] * 3, Rotation(Step.SET, 2), id="stored, not set"),
        pytest.param(_state(2, None), [NEW] * 3, Rotation(Step.SET, 2), id="restored meanwhile"),
        pytest.param(_state(2, 2), [OLD] * 3, Rotation(Step.RESTART, 2), id="no server yet"),
        pytest.param(_state(2, 2), [NEW, OLD], Rotation(Step.RESTART, 2), id="one server is left"),
        pytest.param(_state(2, 2), [None, NEW], Rotation(Step.CHANGE, 3), id="one is not known"),
        pytest.param(
            _state(1, 1, "version-a"), [OLD], Rotation(Step.CHANGE, 2), id="stored, not recorded"
        ),
        pytest.param({}, [], Rotation(Step.CHANGE, 2), id="a state without either"),
    ],
)
def test_a_rotation_goes_on_where_the_last_one_died(
    resources: dict[str, dict[str, Any]], launches: list[datetime | None], rotation: Rotation
):
    assert next_step(resources, NOW_STORED, launches) == rotation
