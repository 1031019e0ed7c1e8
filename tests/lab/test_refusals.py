"""What a run on a living cluster refuses, and what it says when the world does not answer."""

import json
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from prefect import flow

from corral.clients.terraform import Backend, Mandate, StackJob, run_stack
from corral.cluster import ClusterSpec
from corral.domain.plans import Approval, Wholeness
from corral.domain.stacks import ControlPlaneOutputs, Database, SecurityGroupsOutputs, VpcOutputs
from corral.errors import GateTimeoutError, StateLockedError, UnsafePlanError
from corral.settings import Settings, load_cluster_spec
from tasks.clusters import load_cluster
from tasks.rancher import FIRST_STAGE, await_gate
from tests.engine.shelf_double import lonely_watch
from tests.lab.harness import Started
from tests.lab.stage import Stage

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("stage"), pytest.mark.timeout(1500)]

BUCKET = "corral-lab-terraform-states"


def _outputs(stage: Stage, stack: str) -> dict[str, Any]:
    state = stage.client("s3").get_object(Bucket=BUCKET, Key=f"lab/{stack}.tfstate")["Body"]
    return {name: entry["value"] for name, entry in json.load(state)["outputs"].items()}


@pytest.fixture
def spec(here: Stage) -> ClusterSpec:
    return load_cluster_spec("lab", Settings())


@pytest.fixture
def database(here: Stage, spec: ClusterSpec) -> Database:
    vpc = VpcOutputs.model_validate(_outputs(here, "vpc"))
    groups = SecurityGroupsOutputs.model_validate(_outputs(here, "security-groups"))
    return Database.of(spec, vpc, groups)


def _run(stack: Database, *approvals: Approval) -> None:
    settings = Settings(lock_wait_s=1)
    job = StackJob(
        folder=settings.stacks_dir / stack.folder,
        key=stack.key,
        variables=stack.variables(),
        backend=Backend(stack.place.state_bucket, stack.region),
        environment={},
    )
    run_stack(
        job,
        settings,
        Mandate(approvals, datetime.now(UTC).date()),
        lonely_watch(settings.work_dir / "shelf"),
        is_whole=lambda _: Wholeness.WHOLE,
        listen=lambda _: None,
    )


@pytest.mark.parametrize(
    "approvals",
    [
        [],
        [Approval("database", "aws_db_instance.this")],
        [Approval("database", "aws_db_instance.this", date(2026, 1, 1))],
    ],
    ids=["no-approval", "no-date", "past-date"],
)
def test_a_plan_that_would_replace_the_database_is_forbidden(
    here: Stage, built: Started, database: Database, approvals: list[Approval]
):
    before = _database_ids(here)

    with pytest.raises(UnsafePlanError) as refused:
        _run(database.model_copy(update={"username": "somebodyelse"}), *approvals)

    assert "aws_db_instance.this: would replace the database" in str(refused.value)
    assert "username forces it" in str(refused.value)
    assert "database:aws_db_instance.this until" in str(refused.value)
    assert _database_ids(here) == before


def _database_ids(stage: Stage) -> list[tuple[str, str]]:
    instances = stage.client("rds").describe_db_instances()["DBInstances"]
    return [(each["DbiResourceId"], each["DBInstanceStatus"]) for each in instances]


def test_a_state_locked_by_another_is_an_error_with_holder_time_and_remedy(
    here: Stage, built: Started, database: Database
):
    lock = {
        "ID": "11111111-2222-3333-4444-555555555555",
        "Operation": "OperationTypeApply",
        "Info": "",
        "Who": "somebody@elsewhere",
        "Version": "1.11.4",
        "Created": datetime.now(UTC).isoformat(),
        "Path": f"{BUCKET}/{database.key}.tfstate",
    }
    s3 = here.client("s3")
    key = f"{database.key}.tfstate.tflock"
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(lock))

    with pytest.raises(StateLockedError) as locked:
        _run(database)

    s3.delete_object(Bucket=BUCKET, Key=key)
    text = str(locked.value)
    assert "somebody@elsewhere" in text
    assert lock["Created"][:10] in text
    assert f"force-unlock {lock['ID']}" in text


def test_servers_that_never_answer_are_named_with_what_they_answered_last(
    here: Stage, built: Started, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CORRAL_GATE_DEADLINE_S", "10")
    control = ControlPlaneOutputs.model_validate(_outputs(here, "control-plane"))

    @flow
    def only_the_gate() -> None:
        load_cluster("lab")
        await_gate(spec, control, 3, FIRST_STAGE)

    fault = {"target": "rancher", "match": {"operation": "GET /ping"}, "effect": {"status": 503}}
    here.lever("POST", "/faults", **fault, times=None)
    try:
        with pytest.raises(GateTimeoutError) as late:
            only_the_gate()
    finally:
        here.lever("DELETE", "/faults")

    text = str(late.value)
    # Sick servers are replaced meanwhile, so their ids may be new ones.
    assert len(set(re.findall(r"health check of (i-[0-9a-f]+)", text))) == 3
    assert "503" in text
    assert "not within 10 s" in text
