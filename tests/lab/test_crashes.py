"""A run that dies is told: by a real server's automation, a real worker, our own channels."""

import threading
from collections.abc import Iterator
from contextvars import copy_context
from datetime import timedelta
from uuid import UUID

import psutil
import pytest
from prefect.blocks.system import Secret
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun
from prefect.events import emit_event
from prefect.states import Cancelled, Pending, Running

from corral.cluster.spec import AlertChannel
from corral.settings import Settings, load_cluster_spec
from tasks import connect
from tasks.alerts import find_channels, tell
from tasks.crashes import settled_by
from tasks.silence import end_if_silent
from tests.lab.harness import wait_until
from tests.lab.prefect_alone import RUN_S, START_S, PrefectAlone, kill_runs

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(600)]

A_MOMENT = timedelta(seconds=2)


@pytest.fixture(scope="module")
def schedules(alone: PrefectAlone) -> dict[str, list[bool]]:
    """Whether the schedules of what prefect.yaml deploys were active; now none is."""
    deploy = alone.run("--no-prompt", "deploy", "--all", log="deploy-all")
    assert deploy.wait(START_S) == 0, deploy.tail
    with alone.client() as client:
        dev = client.read_deployment_by_name("reconcile-hosts/dev")
        wait_until(lambda: planned(client, dev.id), RUN_S, "runs of dev are planned")
        found = {}
        for deployment in client.read_deployments():
            flow = client.read_flow(deployment.flow_id).name
            found[f"{flow}/{deployment.name}"] = [one.active for one in deployment.schedules]
            for schedule in deployment.schedules:
                client.update_deployment_schedule(deployment.id, schedule.id, active=False)
    return found


def planned(client: SyncPrefectClient, deployment_id: UUID) -> list[FlowRun]:
    return client.read_flow_runs(
        flow_run_filter=FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id]))
    )


@pytest.fixture(scope="module")
def worker(alone: PrefectAlone, schedules: dict[str, list[bool]]) -> Iterator[psutil.Process]:
    with alone.worker() as worker:
        yield worker


def new_run(there: PrefectAlone) -> FlowRun:
    with there.client() as client:
        deployment = client.read_deployment_by_name("reconcile-hosts/lab")
        return client.create_flow_run_from_deployment(deployment.id)


def run_of_a_dead_worker(there: PrefectAlone) -> FlowRun:
    with there.client() as client:
        deployment = client.read_deployment_by_name("reconcile-hosts/lab")
        run = client.create_flow_run_from_deployment(deployment.id, state=Pending())
        client.set_flow_run_state(run.id, Running())
        return run


def test_the_herds_deployments_are_scheduled_where_clusters_live(schedules):
    expected = {"lab": [False], "dev": [True], "prod": [True]}

    for flow in ("reconcile-hosts", "drain-hosts"):
        assert {name: schedules[f"{flow}/{name}"] for name in expected} == expected


@pytest.mark.usefixtures("there")
def test_the_address_of_a_channel_is_found_in_a_secret_block():
    channel = AlertChannel(name="chat", secret="lab-chat")
    _, (missing,) = find_channels([channel])
    assert "make a Secret block lab-chat in Prefect" in missing

    Secret(value="json://somewhere/else").save("lab-chat")
    (found,), _ = find_channels([channel])
    assert found.url.get_secret_value() == "json://somewhere/else"


def test_a_silent_run_that_shows_life_is_left_alone(there, schedules):
    run = run_of_a_dead_worker(there)
    resource = {"prefect.resource.id": f"prefect.flow-run.{run.id}"}
    # A thread begins without knowing which server this test talks to.
    give = copy_context().run
    sign = threading.Timer(0.5, give, [emit_event, "prefect.flow-run.heartbeat", resource])
    sign.start()

    assert not end_if_silent(run.id, 5 * A_MOMENT)
    assert there.state(run).is_running()
    with there.client() as client:
        client.set_flow_run_state(run.id, Cancelled())  # or nobody else gets its slot


def test_a_run_that_is_killed_and_one_whose_worker_died_are_one_problem_until_a_run_lives(
    there, worker, monkeypatch
):
    run = new_run(there)
    there.wait_for_state(run, "Running")
    kill_runs(worker)
    told = there.ears.wait_for(str(run.id))

    assert "reconcile-hosts of lab ended as Crashed" in told["title"]
    assert "SIGKILL" in told["message"]

    other = run_of_a_dead_worker(there)
    assert end_if_silent(other.id, A_MOMENT)
    there.wait_for_report(other)

    monkeypatch.setenv("CORRAL_ALERT_URLS", there.environment["CORRAL_ALERT_URLS"])
    connect.settings.cache_clear()
    channels = load_cluster_spec("lab", Settings()).alerts
    assert tell("lab", channels, [], {settled_by("reconcile-hosts")}) == []
    connect.settings.cache_clear()
    assert [one["type"] for one in there.ears.told] == ["failure"] * 2 + ["success"] * 2
