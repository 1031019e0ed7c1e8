"""One lab, one Prefect server and one cluster for all tests of whole flows."""

from collections.abc import Iterator

import boto3
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks import connect
from tests.lab.stage import Stage, set_stage


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A lab and a Prefect server until the last test."""
    with set_stage(tmp_path_factory.mktemp("stage")) as everything:
        yield everything


@pytest.fixture
def here(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The same, for flows that run in the test's own process."""
    for name, value in stage.environment.items():
        monkeypatch.setenv(name, value)
    connect.settings.cache_clear()
    boto3.DEFAULT_SESSION = None
    with temporary_settings({PREFECT_API_URL: stage.environment["PREFECT_API_URL"]}):
        yield stage
    connect.settings.cache_clear()
