"""An upgrade of Rancher in a living cluster: one that stops, one that goes on, one that rests."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests

from corral.clients.rancher import Patience, RancherClient
from corral.clients.rancher.set_up.stack_way import StackWay
from corral.domain.set_up.keys import KeyPair
from corral.domain.set_up.stacks import KnownStack, StackWish
from tests.lab.day_two import FIRST_VERSION
from tests.lab.stage import Stage

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("day_two"), pytest.mark.timeout(1800)]

FLOW = "flows.upgrade_rancher.upgrade_rancher"
UNRELEASED, WANTED = "v1.6.31", "v1.6.30"
IMPATIENCE = {"CORRAL_GATE_DEADLINE_S": "40", "CORRAL_MIGRATION_DEADLINE_S": "1"}
ENVIRONMENT = "lab"
OLD = {
    "network-policy-manager": "library:infra*network-policy-manager:2",
    "network-services": "library:infra*network-services:28",
    "ipsec": "library:infra*ipsec:17",
    "scheduler": "library:infra*scheduler:12",
}
NEW = {
    "network-policy-manager": "library:infra*network-policy-manager:3",
    "network-services": "library:infra*network-services:29",
    "ipsec": "library:infra*ipsec:18",
    "scheduler": "library:infra*scheduler:13",
}
"""In the order that they are upgraded in."""


def version_of(content: dict[str, Any], version: str) -> None:
    content["rancher"]["version"] = version


def administrator(second: Stage) -> RancherClient:
    secrets = second.client("secretsmanager")
    held = json.loads(secrets.get_secret_value(SecretId="lab/rancher/admin")["SecretString"])
    return RancherClient(
        second.ready["rancher_url"], KeyPair(held["access_key"], held["secret_key"])
    )


def project_of(rancher: RancherClient) -> str:
    return next(one.id for one in rancher.projects() if one.name == ENVIRONMENT)


def stacks_of(second: Stage) -> dict[str, KnownStack]:
    rancher = administrator(second)
    return {one.name: one for one in rancher.stacks(project_of(rancher))}


def age_stacks(second: Stage) -> None:
    """Give the environment the stacks that a Rancher of long ago brought."""
    rancher = administrator(second)
    patience = Patience(deadline=timedelta(seconds=60), interval=timedelta(seconds=0.2))
    for name, version in OLD.items():
        wish = StackWish.of(name, rancher.template_version(version), {}, infrastructure=True)
        way = StackWay(rancher, project_of(rancher), ENVIRONMENT, wish)
        patience.wait(name, way.go_on)


def snapshots_of(second: Stage) -> list[dict[str, Any]]:
    found = second.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    tags = [{tag["Key"]: tag["Value"] for tag in one["TagList"]} for one in found]
    return [
        {"arn": one["DBSnapshotArn"], "name": one["DBSnapshotIdentifier"], **tag}
        for one, tag in zip(found, tags, strict=True)
        if "UpgradeFrom" in tag
    ]


def suspended(second: Stage) -> list[str]:
    group = second.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=["lab-control"]
    )["AutoScalingGroups"][0]
    return [one["ProcessName"] for one in group["SuspendedProcesses"]]


def running(second: Stage) -> str:
    answer = requests.get(f"{second.ready['rancher_url']}/v2-beta", timeout=10)
    return answer.headers["X-Rancher-Version"]


def assert_in_order(text: str, steps: Sequence[str]) -> None:
    """See to it that tasks finished one after the other, by the run's log."""
    finished = re.findall(r"Task run '([^']+)' - Finished in state Completed", text)
    found = [
        next(step for step in steps if one.startswith(step))
        for one in finished
        if one.startswith(tuple(steps))
    ]
    assert list(dict.fromkeys(found)) == list(steps)


@pytest.fixture(scope="module")
def stopped(second: Stage) -> str:
    """The end of a run whose first server never answers, since nobody can pull its image."""
    age_stacks(second)
    second.edit(lambda content: version_of(content, UNRELEASED))
    impatient = replace(second, environment=second.environment | IMPATIENCE)
    return impatient.refuse(FLOW, "upgrade-stops").text


def test_an_upgrade_whose_first_server_never_answers_stops_and_names_the_way_back(second, stopped):
    [snapshot] = snapshots_of(second)

    assert (snapshot["UpgradeFrom"], snapshot["UpgradeTo"]) == (FIRST_VERSION, UNRELEASED)
    assert f"restore-database/lab --param snapshot={snapshot['name']}" in stopped
    assert f"rancher.version: {FIRST_VERSION}" in stopped
    assert_in_order(
        stopped,
        ["look-at", "snapshot-", "hold-", "apply-lab/control", "stop-servers", "scale-lab-control"],
    )
    assert "scale-lab-control-to-3" not in stopped
    assert suspended(second) == ["ReplaceUnhealthy"]


def test_what_may_be_migrated_half_is_kept_from_an_older_version(second, stopped):
    with second.edited(lambda content: version_of(content, WANTED)):
        refused = second.refuse(FLOW, "upgrade-refused").text

    assert f"Write {UNRELEASED} and run again" in refused
    assert "restore-database/lab" in refused


def test_an_upgrade_goes_on_through_its_gates_to_the_stacks_in_their_order(second, stopped):
    [snapshot] = snapshots_of(second)
    # What a person may say who knows that the new version never ran.
    second.client("rds").add_tags_to_resource(
        ResourceName=snapshot["arn"], Tags=[{"Key": "UpgradeTo", "Value": WANTED}]
    )
    second.edit(lambda content: version_of(content, WANTED))

    text = second.finish(FLOW, "upgrade-goes-on").text

    assert_in_order(
        text,
        [
            "stop-servers",
            "scale-lab-control-to-1",
            "await-gate-of-1",
            "scale-lab-control-to-3",
            "await-gate-of-3",
            "upgrade-stacks",
        ],
    )
    assert running(second) == WANTED
    assert [one["name"] for one in snapshots_of(second)] == [snapshot["name"]]
    told = re.findall(r"stack (\S+) of environment lab: changed", text)
    assert [*dict.fromkeys(told)] == [*NEW]
    found = stacks_of(second)
    assert {name: found[name].external_id.removeprefix("catalog://") for name in NEW} == NEW
    assert suspended(second) == []


def test_a_second_run_changes_nothing(second):
    second.lever("DELETE", "/journal")

    text = second.finish(FLOW, "upgrade-rests").text

    assert "InStep" in text
    assert second.writes() == []
