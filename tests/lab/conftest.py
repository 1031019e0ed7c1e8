"""One lab, one Prefect server and one cluster for all tests of whole flows."""

from collections.abc import Iterator

import pytest

from tests.lab.stage import Stage, set_stage


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A lab and a Prefect server until the last test."""
    with set_stage(tmp_path_factory.mktemp("stage")) as everything:
        yield everything
