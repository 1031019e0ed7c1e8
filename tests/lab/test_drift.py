"""A search for drift in a living cluster: what was changed by hand is told, nothing is touched."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.lab.stage import READING, Stage
from tests.rights import beyond

pytestmark = [
    pytest.mark.lab,
    pytest.mark.usefixtures("built"),
    pytest.mark.xdist_group("stage"),
    pytest.mark.timeout(2700),
]

FLOW = "flows.detect_drift.detect_drift"
RULE = {
    "IpProtocol": "tcp",
    "FromPort": 3306,
    "ToPort": 3306,
    "IpRanges": [{"CidrIp": "192.0.2.0/24"}],
}
DRIFT = "corral/lab/drift/security-groups"
BLIND = "corral/lab/drift-unknown/vpc"


@pytest.fixture
def rule(stage: Stage) -> Iterator[None]:
    """A rule that somebody added to the database's group."""
    ec2 = stage.client("ec2")
    named = [{"Name": "group-name", "Values": ["lab-database"]}]
    (group,) = ec2.describe_security_groups(Filters=named)["SecurityGroups"]
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[RULE])
    yield
    ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[RULE])


@pytest.fixture
def lock(stage: Stage) -> Iterator[None]:
    """A lock on the network's state, so that nobody can tell how it stands."""
    s3 = stage.client("s3")
    place = {"Bucket": "corral-lab-terraform-states", "Key": "lab/vpc.tflock"}
    s3.put_object(**place, Body=b"{}")
    yield
    s3.delete_object(**place)


def incidents(stage: Stage, action: str) -> set[str]:
    """Return the keys of what PagerDuty was told of drift since the journal was emptied."""
    bodies = [row.get("body") or {} for row in stage.lever("GET", "/journal")]
    told = {body["dedup_key"] for body in bodies if body.get("event_action") == action}
    return {key for key in told if key.startswith("corral/lab/drift")}


def calls_that_write(stage: Stage) -> list[str]:
    """Return what AWS and Rancher were asked that was no reading, the state's lock included."""
    return [
        row["operation"]
        for row in stage.lever("GET", "/journal")
        if row["target"] in ("aws", "rancher") and not row["operation"].startswith(READING)
    ]


def table(stage: Stage) -> list[dict[str, Any]]:
    address = f"{stage.environment['PREFECT_API_URL']}/artifacts/drift-lab/latest"
    rows: list[dict[str, Any]] = json.loads(requests.get(address, timeout=30).json()["data"])
    return rows


@pytest.mark.usefixtures("rule", "lock")
def test_a_rule_added_by_hand_is_told_although_another_stack_cannot_be_looked_at(stage: Stage):
    stage.lever("DELETE", "/journal")

    run = stage.refuse(FLOW, "drift-by-hand")

    assert "Changed by hand: security-groups. vpc could not be looked at" in run.text
    assert incidents(stage, "trigger") == {DRIFT, BLIND}
    (row,) = [row for row in table(stage) if row["cause"] == "changed by hand"]
    assert (row["stack"], row["resource"]) == ("security-groups", "aws_security_group.database")
    assert (row["before"], row["after"]) == ("(none)", "tcp 3306 from 192.0.2.0/24")


def test_a_cluster_as_it_was_built_is_in_step_and_nothing_in_it_is_touched(stage: Stage):
    stage.lever("DELETE", "/journal")

    run = stage.finish(FLOW, "drift-none")

    assert "Finished in state InStep('lab: 7 in step.'" in run.text
    assert {row["cause"] for row in table(stage)} == {"in step"}
    assert calls_that_write(stage) == []
    assert beyond("corral-drift-policy.json", stage.lever("GET", "/journal")) == set()
    assert incidents(stage, "resolve") == {DRIFT, BLIND}
    assert incidents(stage, "trigger") == set()
