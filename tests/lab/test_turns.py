"""Runs neither overlap nor pile up: with a real server and a real worker, and a tiny flow."""

import threading
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Running, Scheduled

from tests.lab.prefect_alone import START_S, PrefectAlone
from tests.lab.tiny_flow import tiny_flow

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(600)]

HOLD_S = 60
"""Seconds that a run holds its turn if nobody tells it to end."""
DEPLOYMENTS = """
name: tiny
deployments:
  - name: lab
    entrypoint: tests.lab.tiny_flow.tiny_flow
    parameters: {cluster: lab, hold_s: 0.5}
    concurrency_limit: {limit: 1, collision_strategy: CANCEL_NEW}
    work_pool: {name: corral}
  - name: unlimited
    entrypoint: tests.lab.tiny_flow.tiny_flow
    parameters: {cluster: unlimited}
    work_pool: {name: corral}
"""


@pytest.fixture(scope="module")
def deployments(alone: PrefectAlone) -> dict[str, UUID]:
    file = alone.folder / "tiny.yaml"
    file.write_text(DEPLOYMENTS)
    deploy = alone.run("--no-prompt", "deploy", "--all", "--prefect-file", str(file), log="deploy")
    assert deploy.wait(START_S) == 0, deploy.tail
    with alone.client() as client:
        names = ("lab", "unlimited")
        return {name: client.read_deployment_by_name(f"tiny-flow/{name}").id for name in names}


def call(**parameters: object) -> State[str]:
    state: State[str] = tiny_flow(**parameters, return_state=True)
    return state


def beside_each_other(release: Path, *clusters: str, hold_s: float = HOLD_S) -> list[str]:
    """Return how runs end that are called at the same time; when one has, the others may."""
    ends: list[State[str]] = []

    def run(cluster: str) -> None:
        ends.append(call(cluster=cluster, hold_s=hold_s, until=release))
        release.touch()

    threads = [
        threading.Thread(target=copy_context().run, args=[run, cluster]) for cluster in clusters
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(end.name or "" for end in ends)


@pytest.mark.usefixtures("there")
def test_of_two_runs_beside_each_other_one_is_skipped(tmp_path: Path):
    ends = beside_each_other(tmp_path / "go", "lab", "lab")

    assert ends == ["Completed", "Skipped"]


@pytest.mark.usefixtures("there")
def test_runs_of_two_clusters_do_not_mind_each_other(tmp_path: Path):
    ends = beside_each_other(tmp_path / "go", "lab", "dev", hold_s=3)

    assert ends == ["Completed", "Completed"]


def test_a_run_whose_worker_died_blocks_nobody_for_ever(there):
    with there.client() as client:
        dead = client.create_flow_run(tiny_flow, parameters={"cluster": "lab"}, state=Running())

    assert call(cluster="lab").name == "Skipped"
    assert there.state(dead).name == "Running"
    assert call(cluster="lab", longest_s=0.1).name == "Completed"
    assert there.state(dead).name == "Crashed"
    assert call(cluster="lab").name == "Completed"


def test_the_backlog_of_a_worker_that_was_away_is_skipped(there, deployments):
    *late, last = ends_of_a_backlog(there, deployments["unlimited"])

    assert [end.name for end in late] == ["Skipped", "Skipped", "Skipped"]
    # It may find one of the others that has not yet ended.
    assert last.name in {"Completed", "Skipped"}, last.message


def test_with_the_limit_of_a_deployment_nothing_of_a_backlog_runs_either(there, deployments):
    *late, last = ends_of_a_backlog(there, deployments["lab"])

    assert {end.name for end in late} <= {"Skipped", "Cancelled"}
    assert last.name in {"Completed", "Cancelled"}, last.message


def ends_of_a_backlog(there: PrefectAlone, deployment_id: UUID) -> list[State[str]]:
    """Return how runs end that a worker finds when it comes; only the last is not late."""
    due = [datetime.now(UTC) - timedelta(minutes=minutes) for minutes in (20, 15, 10, 0)]
    with there.client() as client:
        runs = [
            client.create_flow_run_from_deployment(
                deployment_id, state=Scheduled(scheduled_time=at)
            )
            for at in due
        ]

    with there.worker():
        return [there.wait_for_end(run) for run in runs]
