"""How long a run of drain-hosts may take, and how often it says that it is at work."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from corral.settings import Settings, load_cluster_spec
from flows.drain_hosts import LONGEST, drain_hosts
from tasks import connect
from tasks.drains import seconds_of_a_beat
from tasks.listening import STOP_S
from tasks.loans import LONGEST_WORK_S

LONGEST_LISTENING = timedelta(hours=1)


@pytest.fixture
def _usual_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CORRAL_HEARTBEAT_INTERVAL_S", raising=False)
    connect.settings.cache_clear()
    yield
    connect.settings.cache_clear()


def test_a_run_that_hangs_ends_itself_and_one_that_listens_does_not_hang():
    assert drain_hosts.timeout_seconds == LONGEST.total_seconds()
    assert timedelta(seconds=LONGEST_WORK_S + 2 * STOP_S) + LONGEST_LISTENING < LONGEST / 1.5


@pytest.mark.usefixtures("_usual_settings")
@pytest.mark.parametrize(("drain_timeout_s", "beat_s"), [(30, 7.5), (60, 15), (600, 20)])
def test_a_group_that_waits_for_a_short_time_hears_of_its_machines_the_more_often(
    drain_timeout_s: int, beat_s: float
):
    spec = load_cluster_spec("lab", Settings())
    first, *others = spec.pools
    pools = (first.model_copy(update={"drain_timeout_s": drain_timeout_s}), *others)

    assert seconds_of_a_beat(spec.model_copy(update={"pools": pools})) == beat_s
