"""A database comes back: drilled beside the cluster, then restored in its place."""

import json
from typing import Any

import pytest
import requests

from tests.lab.harness import wait_until
from tests.lab.stage import Stage

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("day_two"), pytest.mark.timeout(1800)]

DRILL = "flows.drill_restore.drill_restore"
RESTORE = "flows.restore_database.restore_database"
SNAPSHOT = "lab-database-before-the-mistake"
STEP_S = 300.0
"""Seconds that a run has until it does what the test waits for."""


class Projects:
    """Environments of Rancher, through its administrator's key."""

    def __init__(self, second: Stage) -> None:
        secrets = second.client("secretsmanager")
        held = json.loads(secrets.get_secret_value(SecretId="lab/rancher/admin")["SecretString"])
        self._url = f"{second.ready['rancher_url']}/v2-beta/projects"
        self._key = held["access_key"], held["secret_key"]

    def make(self, name: str) -> None:
        answer = requests.post(self._url, json={"name": name}, auth=self._key, timeout=30)
        answer.raise_for_status()

    def names(self) -> set[str]:
        answer = requests.get(self._url, auth=self._key, timeout=30)
        answer.raise_for_status()
        return {row["name"] for row in answer.json()["data"]}


def instances_of(second: Stage) -> dict[str, str]:
    found = second.client("rds").describe_db_instances()["DBInstances"]
    return {one["DBInstanceIdentifier"]: one["DBInstanceStatus"] for one in found}


def record_of(second: Stage) -> str:
    """Return where the database's name leads to."""
    route53 = second.client("route53")
    zones = [zone["Id"] for zone in route53.list_hosted_zones()["HostedZones"]]
    records = (
        record
        for zone in zones
        for record in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    )
    return next(
        str(record["ResourceRecords"][0]["Value"])
        for record in records
        if record["Name"].startswith("rancher-db.") and record["Type"] == "CNAME"
    )


def take_snapshot(second: Stage, instance: str) -> None:
    rds: Any = second.client("rds")
    rds.create_db_snapshot(DBInstanceIdentifier=instance, DBSnapshotIdentifier=SNAPSHOT)

    def is_whole() -> bool:
        (found,) = rds.describe_db_snapshots(DBSnapshotIdentifier=SNAPSHOT)["DBSnapshots"]
        return bool(found["Status"] == "available")

    wait_until(is_whole, STEP_S, "the snapshot is whole")


def test_a_drill_reports_its_time_and_leaves_nothing_of_one_that_was_killed(second: Stage):
    before = instances_of(second)
    killed = second.run_flow(DRILL, "drill-killed", cluster="lab")
    wait_until(lambda: len(instances_of(second)) > len(before), STEP_S, "a drill's instance")
    killed.kill()

    run = second.finish(DRILL, "drill")

    assert "Restorable" in run.tail
    assert "s until it answered, with MySQL 5.7" in run.tail
    assert instances_of(second) == before


def test_a_restore_brings_back_what_a_snapshot_held_and_keeps_the_old_instance(second: Stage):
    projects = Projects(second)
    projects.make("from-before")
    (old,) = instances_of(second)
    take_snapshot(second, old)
    projects.make("the-mistake")

    refused = second.refuse(RESTORE, "restore-refused", snapshot=SNAPSHOT, confirm="prod")
    killed = second.run_flow(
        RESTORE, "restore-killed", cluster="lab", snapshot=SNAPSHOT, confirm="lab"
    )
    killed.wait_for_line("lab/database no longer looks after", STEP_S)
    killed.kill()
    # Somebody has agreed to it already.
    run = second.finish(RESTORE, "restore", snapshot=SNAPSHOT, ask=False)

    assert "`prod` was typed" in refused.tail
    assert "Restored" in run.tail
    assert projects.names() & {"from-before", "the-mistake"} == {"from-before"}
    (new,) = instances_of(second).keys() - {old}
    assert instances_of(second) == {old: "available", new: "available"}
    assert record_of(second).startswith(f"{new}.")
    assert second.locks() == []
    assert "InStep" in second.build("build-after-restore").tail
