"""What a build keeps of restores and rotations."""

from typing import Any

import pytest

from corral.domain.standing import INSTANCE, STORED, Standing, standing_in


def _resources(
    identifier: str, set_in_database: int | None, stored: int | None
) -> dict[str, dict[str, Any]]:
    return {
        INSTANCE: {"identifier": identifier, "password_wo_version": set_in_database},
        STORED: {"secret_string_wo_version": stored},
    }


RESTORED = "blue-database-20261123t201500"


@pytest.mark.parametrize(
    ("resources", "standing"),
    [
        pytest.param({}, Standing("blue-database", 1), id="never built"),
        pytest.param(
            _resources("blue-database", 1, 1), Standing("blue-database", 1), id="just built"
        ),
        pytest.param(_resources(RESTORED, 1, 1), Standing(RESTORED, 1), id="restored"),
        pytest.param(_resources("blue-database", 3, 3), Standing("blue-database", 3), id="rotated"),
        pytest.param(
            _resources("blue-database", 2, 3), Standing("blue-database", 3), id="stored, not set"
        ),
        pytest.param(
            _resources(RESTORED, None, 3), Standing(RESTORED, 3), id="restored, not set anew"
        ),
        pytest.param(
            {STORED: {"secret_string_wo_version": 4}},
            Standing("blue-database", 4),
            id="stored, no database",
        ),
        pytest.param(
            {INSTANCE: {"identifier": "blue-database"}},
            Standing("blue-database", 1),
            id="of an older corral",
        ),
    ],
)
def test_a_build_keeps_instance_and_password(
    resources: dict[str, dict[str, Any]], standing: Standing
):
    assert standing_in(resources, "blue") == standing
