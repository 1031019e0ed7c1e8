"""Plans that need an approval: shown in a form, and applied once somebody agrees.

With a real Prefect server, a stand-in for Terraform, and moto's bucket for what is kept beside the
states.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from prefect.client.schemas.objects import FlowRun, State

from corral.errors import ApprovalNeededError, GateTimeoutError, TerraformError
from tasks import connect
from tests.engine.stub_engine import StubEngine
from tests.engine.terraform_bench import Bench
from tests.lab.approved_flow import approved_flow
from tests.lab.paused import Desk, call_beside
from tests.lab.prefect_alone import RUN_S, PrefectAlone

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(600)]

ADDRESS = "aws_db_instance.this"
RESOURCE = {"addr": ADDRESS, "resource_type": "aws_db_instance"}
LINE = {"type": "planned_change", "change": {"resource": RESOURCE, "action": "update"}}
CHANGE = {
    "actions": ["update"],
    "before": {"instance_class": "db.t3.small"},
    "after": {"instance_class": "db.t3.medium"},
}
DOCUMENT = {
    "format_version": "1.2",
    "resource_changes": [{"address": ADDRESS, "type": "aws_db_instance", "change": CHANGE}],
}
PLAN = {"stdout": json.dumps(LINE), "code": 2, "saves": "the plan"}


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """An AWS with the bucket of the states."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "lab", "aws_secret_access_key": "lab"}
    s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)
    s3.create_bucket(Bucket="corral-lab-terraform-states")
    yield endpoint
    server.stop()


@pytest.fixture
def engine(
    there: PrefectAlone, aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StubEngine]:
    """The stand-in, whose every plan changes the class of a database."""
    bench = Bench(tmp_path)
    bench.engine.play(plan=PLAN, show={"stdout": json.dumps(DOCUMENT)}, apply={})
    environment = {
        "CORRAL_WORK_DIR": str(tmp_path / "work"),
        "CORRAL_TERRAFORM": str(bench.engine.path),
        "CORRAL_PROVIDER_MIRROR": str(tmp_path / "mirror"),
        "AWS_ENDPOINT_URL": aws,
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    connect.settings.cache_clear()
    boto3.DEFAULT_SESSION = None
    yield bench.engine
    connect.settings.cache_clear()


@pytest.fixture
def desk(there: PrefectAlone) -> Desk:
    return Desk(there.environment["PREFECT_API_URL"], RUN_S)


class Called:
    """A run of the flow beside the test."""

    def __init__(self, desk: Desk, *plots: str, **parameters: Any) -> None:
        self._ends: list[State[Any]] = []
        self._thread = call_beside(
            lambda: self._ends.append(approved_flow(list(plots), **parameters, return_state=True))
        )
        self.run: FlowRun = desk.find_run("approved-flow")

    @property
    def end(self) -> State[Any]:
        self._thread.join(RUN_S)
        return self._ends[0]


def artifacts(there: PrefectAlone, key: str) -> list[str]:
    with there.client() as client:
        asked = {"artifacts": {"key": {"any_": [key]}}}
        return [row["data"] for row in client._client.post("/artifacts/filter", json=asked).json()]


def test_the_plan_is_shown_in_a_form_and_applied_once_it_is_approved(there, engine, desk):
    called = Called(desk, "shown")
    form = desk.form_of(called.run)

    assert "The plan of **lab/plot/shown** needs somebody's approval" in form.text
    assert "- instance_class: `db.t3.small` -> `db.t3.medium`" in form.text
    assert "apply" not in engine.commands
    assert desk.fill_in(called.run.id, approve=True) == "ACCEPT"
    assert called.end.result() == ["1 update"]
    assert engine.commands == ["init", "plan", "show", "show", "apply", "output"]
    plans = artifacts(there, "plan-lab-plot-shown")
    assert ["needs approval" in plan for plan in plans].count(True) == 1
    assert ["; approved in a form" in plan for plan in plans].count(True) == 1


@pytest.mark.usefixtures("there")
def test_a_plan_that_is_not_approved_is_not_applied(engine, desk):
    called = Called(desk, "declined")
    desk.form_of(called.run)

    desk.fill_in(called.run.id, approve=False)

    with pytest.raises(ApprovalNeededError, match="It was shown, and was not approved"):
        called.end.result()
    assert "apply" not in engine.commands


@pytest.mark.usefixtures("there")
def test_a_plan_that_nobody_looks_at_is_not_applied(engine, monkeypatch):
    monkeypatch.setenv("CORRAL_FORM_DEADLINE_S", "2")
    connect.settings.cache_clear()

    with pytest.raises(GateTimeoutError, match=r"plan of lab/plot/late in the run's form: not wi"):
        approved_flow(["late"])

    assert "apply" not in engine.commands


@pytest.mark.usefixtures("there")
def test_where_nobody_can_be_asked_the_run_ends_and_says_what_it_takes(engine):
    with pytest.raises(ApprovalNeededError, match=r"approve `plot/alone:aws_db_instance\.this`"):
        approved_flow(["alone"], ask=False)

    assert engine.commands == ["init", "plan", "show"]


def test_several_stacks_are_asked_for_one_after_another_and_one_refused_stops_no_other(
    there, engine, desk
):
    called = Called(desk, "one", "two")
    first = desk.form_of(called.run)
    assert "lab/plot/one" in first.text

    desk.fill_in(called.run.id, approve=False)
    second = desk.form_of(called.run, but=first.key)
    assert "lab/plot/two" in second.text
    desk.fill_in(called.run.id, approve=True)

    with pytest.raises(ApprovalNeededError, match="The plan of plot/one needs approval"):
        called.end.result()
    assert engine.commands.count("apply") == 1
    assert any("; approved" in plan for plan in artifacts(there, "plan-lab-plot-two"))


@pytest.mark.usefixtures("there")
def test_a_plan_that_is_stale_and_made_anew_is_asked_for_again_if_it_differs(engine, desk):
    larger = CHANGE | {"after": {"instance_class": "db.m5.24xlarge"}}
    other = DOCUMENT | {"resource_changes": [DOCUMENT["resource_changes"][0] | {"change": larger}]}
    shown = [{"stdout": json.dumps(document)} for document in (DOCUMENT, DOCUMENT, other)]
    plans = [PLAN, PLAN | {"saves": "another plan"}]
    applies = [{"lines": "apply-stale.jsonl", "code": 1}, {}]
    engine.play(plan=plans, show=shown, apply=applies)
    called = Called(desk, "stale")
    first = desk.form_of(called.run)

    desk.fill_in(called.run.id, approve=True)
    second = desk.form_of(called.run, but=first.key)
    assert "`db.m5.24xlarge`" in second.text
    desk.fill_in(called.run.id, approve=True)

    assert called.end.result() == ["1 update"]
    assert engine.commands.count("apply") == 2


@pytest.mark.usefixtures("there")
def test_the_end_of_a_stack_is_asked_for_as_well(engine, desk):
    going = {"address": "aws_lb.this", "type": "aws_lb", "change": {"actions": ["delete"]}}
    document = {"format_version": "1.2", "resource_changes": [going]}
    engine.play(show={"stdout": json.dumps(document)})
    called = Called(desk, "ended", destroy=True)

    assert "would destroy the load balancer" in desk.form_of(called.run).text
    desk.fill_in(called.run.id, approve=True)

    assert called.end.result() == ["1 delete"]


@pytest.mark.usefixtures("there")
def test_each_stack_that_nobody_could_be_asked_for_is_named(engine):
    with pytest.raises(TerraformError) as caught:
        approved_flow(["one", "two"], ask=False)

    assert str(caught.value).startswith("2 stacks failed:")
    assert "approve `plot/one:aws_db_instance.this`" in str(caught.value)
    assert "approve `plot/two:aws_db_instance.this`" in str(caught.value)
