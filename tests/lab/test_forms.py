"""A run that needs a person: it pauses with a form, goes on with what was entered, or gives up.

With a real Prefect server and a real worker, a Rancher and a GitHub of the lab, and moto's secrets.
"""

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
import requests
import yaml
from moto.server import ThreadedMotoServer
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Paused, Pending

from corral.clients.aws import SecretVault
from corral.settings import Settings
from lab.github.directory import CLIENT_ID, CLIENT_SECRET
from tasks import connect
from tasks.crashes import read_crash
from tasks.silence import end_if_silent
from tests.lab.paused import Desk, call_beside
from tests.lab.prefect_alone import RUN_S, START_S, PrefectAlone
from tests.lab.secured_flow import secured_flow
from tests.lab_unit.ranchers import Rancher, Ranchers

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(600)]

BEATS = timedelta(seconds=75)
"""Longer than two signs of life are apart."""
ACCESS = {
    "kind": "github",
    "organizations": ["acme"],
    "teams": ["acme/ops"],
    "secret": "lab/rancher/github",
}


@pytest.fixture
def rancher(ranchers: Ranchers) -> Iterator[Rancher]:
    opened = ranchers.open()
    yield opened
    ranchers.close(opened)


@pytest.fixture
def environment(alone: PrefectAlone, rancher: Rancher) -> Iterator[dict[str, str]]:
    """What a run has to know: a cluster file with GitHub's log-in, and where things are."""
    clusters = alone.folder / "clusters"
    clusters.mkdir(exist_ok=True)
    file = yaml.safe_load((Settings().clusters_dir / "lab.yaml").read_text())
    file["rancher"]["access"] = ACCESS
    (clusters / "lab.yaml").write_text(yaml.safe_dump(file))
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    aws = ThreadedMotoServer(port=0, verbose=False)
    aws.start()
    host, port = aws.get_host_and_port()
    yield {
        "CORRAL_CLUSTERS_DIR": str(clusters),
        "CORRAL_RANCHER_URL": rancher.url,
        "CORRAL_GATE_INTERVAL_S": "0.05",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    }
    aws.stop()


@pytest.fixture
def here(
    there: PrefectAlone, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[PrefectAlone]:
    """The same for this process, with the OAuth application in its secret."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    connect.settings.cache_clear()
    boto3.DEFAULT_SESSION = None
    requests.post(f"{environment['AWS_ENDPOINT_URL']}/moto-api/reset", timeout=10)
    vault = SecretVault(boto3.Session(region_name="us-east-1"), {"Cluster": "lab"})
    vault.write(ACCESS["secret"], {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET})
    yield there
    connect.settings.cache_clear()


def deploy(alone: PrefectAlone, environment: dict[str, str]) -> FlowRun:
    """Have a worker run the flow."""
    deployment = {
        "name": "lab",
        "entrypoint": "tests.lab.secured_flow.secured_flow",
        "parameters": {"cluster": "lab"},
        "work_pool": {"name": "corral", "job_variables": {"env": environment}},
    }
    file = alone.folder / "secured.yaml"
    file.write_text(yaml.safe_dump({"name": "secured", "deployments": [deployment]}))
    made = alone.run("--no-prompt", "deploy", "--all", "--prefect-file", str(file), log="secured")
    assert made.wait(START_S) == 0, made.tail
    with alone.client() as client:
        found = client.read_deployment_by_name("secured-flow/lab")
        return client.create_flow_run_from_deployment(found.id)


def call(answers: list[State[Any]]) -> threading.Thread:
    """Run the flow in this process, beside the test."""
    return call_beside(lambda: answers.append(secured_flow("lab", return_state=True)))


def desk_of(there: PrefectAlone) -> Desk:
    return Desk(there.environment["PREFECT_API_URL"], RUN_S)


def test_a_worker_s_run_waits_for_a_code_and_goes_on_with_it(
    here: PrefectAlone, environment: dict[str, str], rancher: Rancher
):
    with here.worker():
        run = deploy(here, environment)
        desk = desk_of(here)
        first = desk.form_of(run)
        assert f"https://github.com/login/oauth/authorize?client_id={CLIENT_ID}" in first.text
        assert "organization acme, team acme/ops" in first.text
        assert not end_if_silent(run.id, BEATS), "it lives, and is not ended"
        assert read_crash(run.id).is_at_work

        assert desk.fill_in(run.id) == "REJECT", "a form without a code is none"
        assert desk.fill_in(run.id, code="0123456789") == "ACCEPT"
        second = desk.form_of(run, but=first.key)
        assert "**GitHub does not take this code" in second.text

        address = f"https://rancher.corral.test/?code={rancher.world.github.authorize('octocat')}"
        assert desk.fill_in(run.id, code=address) == "ACCEPT"
        here.wait_for_state(run, "Completed")


@pytest.mark.usefixtures("here")
def test_a_run_without_a_worker_waits_as_well(there: PrefectAlone, rancher: Rancher):
    ends: list[State[Any]] = []
    thread = call(ends)
    desk = desk_of(there)
    run = desk.find_run("secured-flow")
    desk.form_of(run)

    desk.fill_in(run.id, code=rancher.world.github.authorize("octocat"))
    thread.join(RUN_S)

    assert ends[0].result() == [
        "administrator's key: created",
        "OAuth application of GitHub: created",
        "administrator octocat: created",
        "access control: created",
    ]


@pytest.mark.usefixtures("here")
def test_after_three_forms_without_a_good_code_the_run_ends_with_a_sentence(there: PrefectAlone):
    ends: list[State[Any]] = []
    thread = call(ends)
    desk = desk_of(there)
    run, before = desk.find_run("secured-flow"), ""
    for code in ("wrong", "https://rancher.corral.test/login", "wrong-again"):
        before = desk.form_of(run, but=before).key
        desk.fill_in(run.id, code=code)
    thread.join(RUN_S)

    assert ends[0].is_failed()
    assert "After 3 forms nobody is let in, run again: GitHub does not" in str(ends[0].message)


@pytest.mark.usefixtures("here")
def test_a_form_that_nobody_fills_in_ends_the_run_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("CORRAL_FORM_DEADLINE_S", "2")
    connect.settings.cache_clear()

    end: State[Any] = secured_flow("lab", return_state=True)

    assert end.is_failed()
    assert "A code of GitHub in the run's form: not within 2 s" in str(end.message)
    assert "Rancher stays shut; run again" in str(end.message)


def test_a_paused_run_whose_process_is_gone_is_ended(
    here: PrefectAlone, environment: dict[str, str]
):
    run = deploy(here, environment)
    with here.client() as client:
        client.set_flow_run_state(run.id, Pending(), force=True)
        client.set_flow_run_state(run.id, Paused(timeout_seconds=3600), force=True)

    assert read_crash(run.id).is_at_work
    assert end_if_silent(run.id, timedelta(seconds=2))
    assert here.state(run).name == "Crashed"
