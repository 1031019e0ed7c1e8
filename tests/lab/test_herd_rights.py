"""What the flows of the herd call in AWS, held against the policy that is written for them."""

import pytest

from tests.lab.drains_of_stage import Drains
from tests.lab.herd_of_stage import Herd
from tests.rights import beyond

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("herd"), pytest.mark.timeout(1200)]


def test_the_policy_of_the_herd_allows_every_call_of_its_flows(herd: Herd):
    drains = Drains(herd)
    (dead,) = herd.crash(1)
    drains.scale_in()
    herd.stage.lever("DELETE", "/journal")

    assert drains.run().name == "Drained"
    assert herd.reconcile().name == "Repaired"

    assert dead not in herd.ids
    journal = herd.stage.lever("GET", "/journal")
    called = {row["operation"] for row in journal}
    assert {"ReceiveMessage", "CompleteLifecycleAction", "DescribeInstances"} <= called
    assert beyond("corral-herd-policy.json", journal) == set()
