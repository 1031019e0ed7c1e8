"""One lab, one Prefect server and one cluster for all tests of whole flows."""

from collections.abc import Iterator

import boto3
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks import connect
from tests.lab.day_two import set_day_two
from tests.lab.harness import Started
from tests.lab.herd_of_stage import Herd
from tests.lab.history import DEATHS, DEATHS_AT_NIGHT, build_with_deaths
from tests.lab.prefect_alone import PrefectAlone, prefect_alone
from tests.lab.processes import CommandLines
from tests.lab.stage import Stage, set_stage
from tests.lab_unit.ranchers import Ranchers


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A lab and a Prefect server until the last test."""
    with set_stage(tmp_path_factory.mktemp("stage")) as everything:
        yield everything


@pytest.fixture(scope="session")
def command_lines() -> Iterator[CommandLines]:
    """Every command line that any process had while the build ran."""
    with CommandLines() as seen:
        yield seen


@pytest.fixture(scope="session")
def built(stage: Stage, command_lines: CommandLines, request: pytest.FixtureRequest) -> Started:
    """The cluster, built by runs that died on the way and a last one that did not."""
    at_night = request.config.getoption("nightly")
    return build_with_deaths(stage, DEATHS_AT_NIGHT if at_night else DEATHS)


@pytest.fixture(scope="session")
def standing(stage: Stage) -> Started:
    """The cluster, built by one run; nothing to do for it, where it was built with deaths."""
    return stage.build("build-at-once")


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A cluster of its own for what comes after a build; each test leaves it whole and in step."""
    with set_day_two(tmp_path_factory.mktemp("day-two")) as day_two:
        yield day_two


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


@pytest.fixture
def herd(here: Stage, standing: Started, monkeypatch: pytest.MonkeyPatch) -> Iterator[Herd]:
    """The built cluster's herd, whole, and nobody to be told of anything.

    Whether Rancher was restarted a moment ago, by another test, is of no concern.
    """
    with pytest.MonkeyPatch.context() as patch:
        herd = Herd(here, patch)
        herd.set(quiet_s=0)
        herd.clear()
    herd = Herd(here, monkeypatch)
    herd.set(quiet_s=0)
    yield herd
    here.lever("DELETE", "/faults")


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectAlone]:
    """A Prefect server without a lab, and nobody at work."""
    with prefect_alone(tmp_path_factory.mktemp("prefect-alone")) as alone:
        yield alone


@pytest.fixture
def there(alone: PrefectAlone) -> Iterator[PrefectAlone]:
    """The same, for flows and tasks that run in the test's own process."""
    with alone.settings():
        yield alone


@pytest.fixture(scope="module")
def ranchers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ranchers]:
    """Ranchers for the tests of a module, without a lab and without machines."""
    started = Ranchers(tmp_path_factory.mktemp("ranchers"))
    yield started
    started.stop()
