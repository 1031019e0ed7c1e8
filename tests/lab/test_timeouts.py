"""A run that hangs ends by itself, with a word of Prefect's for whoever listens to ends of runs."""

import sys

import pytest

from tests.lab.harness import Started
from tests.lab.prefect_alone import RUN_S, PrefectAlone
from tests.unit.drips import Drips

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(600)]

# In a process of its own, as workers have it: only a main thread can be interrupted as it waits.
SHORT_RUN = """
from flows.reconcile_hosts import reconcile_hosts

reconcile_hosts.with_options(timeout_seconds=5)("lab", return_state=True)
"""


def test_a_run_whose_answer_trickles_is_interrupted(alone: PrefectAlone):
    with Drips(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n") as drips:
        environment = alone.environment | {"AWS_ENDPOINT_URL": drips.url}
        run = Started.start(
            [sys.executable, "-c", SHORT_RUN], environment, alone.folder / "hung.log"
        )
        alone.started.append(run)

        line = run.wait_for_line("Finished in state TimedOut", RUN_S)
        assert run.wait(RUN_S) == 0, run.tail

    assert "Flow run exceeded timeout of 5" in line
    assert drips.asked
