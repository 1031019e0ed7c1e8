"""What the flows of the herd call in AWS, held against the policy that is written for them."""

import json

import pytest

from corral.settings import PROJECT
from tests.lab.drains_of_stage import Drains
from tests.lab.herd_of_stage import Herd

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("stage"), pytest.mark.timeout(600)]

POLICY = PROJECT / "docs" / "iam" / "corral-herd-policy.json"
FREE = {"GetCallerIdentity"}
"""Needs no right. Source: AWS STS API reference."""


def test_the_policy_of_the_herd_allows_every_call_of_its_flows(herd: Herd):
    drains = Drains(herd)
    (dead,) = herd.crash(1)
    drains.scale_in()
    herd.stage.lever("DELETE", "/journal")

    assert drains.run().name == "Drained"
    assert herd.reconcile().name == "Repaired"

    assert dead not in herd.ids
    called = {
        row["operation"]
        for row in herd.stage.lever("GET", "/journal")
        if row["target"] == "aws" and row["status"] == 200
    }
    assert {"ReceiveMessage", "CompleteLifecycleAction", "DescribeInstances"} <= called
    assert called - FREE - _allowed() == set()


def _allowed() -> set[str]:
    statements = json.loads(POLICY.read_text())["Statement"]
    return {action.partition(":")[2] for one in statements for action in one["Action"]}
