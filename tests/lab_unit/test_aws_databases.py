"""What RDS does with passwords, snapshots and restores, and when."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lab import AwsLab, eventually
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    running = AwsLab(tmp_path_factory.mktemp("lab"), scale=200.0)
    yield running
    running.stop()


@pytest.fixture
def rds(lab):
    return lab.client("rds")


@contextlib.contextmanager
def slowly(lab: AwsLab) -> Iterator[None]:
    """Let what begins now take long enough to be looked at."""
    fast, lab.world.scale = lab.world.scale, 15.0
    try:
        yield
    finally:
        lab.world.scale = fast


def make(lab: AwsLab, name: str, **more: Any) -> None:
    rds = lab.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.small", Engine="mysql",
        AllocatedStorage=20, DBName="rancher", MasterUsername="rancher",
        MasterUserPassword="first", Tags=[{"Key": "Cluster", "Value": "lab"}], **more,
    )  # fmt: skip
    eventually(lambda: status(lab, name) == "available", 10)


def show(lab: AwsLab, name: str) -> dict[str, Any]:
    found = lab.client("rds").describe_db_instances(DBInstanceIdentifier=name)
    return found["DBInstances"][0]


def status(lab: AwsLab, name: str) -> str:
    return show(lab, name)["DBInstanceStatus"]


def password(lab: AwsLab, name: str) -> str:
    return next(one.password for one in lab.aws.databases() if one.identifier == name)


def snapshot(lab: AwsLab, name: str) -> dict[str, Any]:
    found = lab.client("rds").describe_db_snapshots(DBSnapshotIdentifier=name)
    return found["DBSnapshots"][0]


def whole(lab: AwsLab, name: str) -> bool:
    return snapshot(lab, name)["Status"] == "available"


def set_password(lab: AwsLab, name: str, new: str) -> dict[str, Any]:
    rds = lab.client("rds")
    answer = rds.modify_db_instance(
        DBInstanceIdentifier=name, MasterUserPassword=new, ApplyImmediately=True
    )
    return answer["DBInstance"]


def test_a_new_password_counts_some_time_after_it_was_asked_for(lab):
    make(lab, "passwords")
    with slowly(lab):
        answer = set_password(lab, "passwords", "second")

    assert answer["PendingModifiedValues"] == {"MasterUserPassword": "****"}
    assert password(lab, "passwords") == "first"
    eventually(lambda: status(lab, "passwords") == "resetting-master-credentials", 10)
    with pytest.raises(ClientError, match="not in available state"):
        set_password(lab, "passwords", "third")
    eventually(lambda: status(lab, "passwords") == "available", 10)
    eventually(lambda: password(lab, "passwords") == "second", 10)
    assert "MasterUserPassword" not in show(lab, "passwords").get("PendingModifiedValues", {})


def test_a_snapshot_takes_its_time_and_keeps_its_instance_busy(lab, rds):
    make(lab, "busy", CopyTagsToSnapshot=True)
    with slowly(lab):
        rds.create_db_snapshot(DBInstanceIdentifier="busy", DBSnapshotIdentifier="busy-1")

    assert (snapshot(lab, "busy-1")["Status"], status(lab, "busy")) == ("creating", "backing-up")
    with pytest.raises(ClientError, match="not currently in the available state"):
        rds.create_db_snapshot(DBInstanceIdentifier="busy", DBSnapshotIdentifier="busy-2")
    with pytest.raises(ClientError, match="InvalidDBSnapshotState"):
        rds.delete_db_snapshot(DBSnapshotIdentifier="busy-1")
    with pytest.raises(ClientError, match="InvalidDBSnapshotState"):
        restore(lab, "busy-1", "too-early")
    eventually(lambda: whole(lab, "busy-1"), 10)
    assert status(lab, "busy") == "available"
    assert snapshot(lab, "busy-1")["PercentProgress"] == 100
    assert snapshot(lab, "busy-1")["TagList"] == [{"Key": "Cluster", "Value": "lab"}]


def restore(lab: AwsLab, source: str, target: str, **more: Any) -> dict[str, Any]:
    rds = lab.client("rds")
    answer = rds.restore_db_instance_from_db_snapshot(
        DBSnapshotIdentifier=source, DBInstanceIdentifier=target, **more
    )
    return answer["DBInstance"]


def test_a_restored_instance_is_another_one_with_the_password_of_then(lab, rds):
    make(lab, "source", DeletionProtection=True)
    rds.create_db_snapshot(DBInstanceIdentifier="source", DBSnapshotIdentifier="source-1")
    eventually(lambda: whole(lab, "source-1"), 10)
    set_password(lab, "source", "second")
    eventually(lambda: password(lab, "source") == "second", 10)
    restored = restore(lab, "source-1", "target")

    assert restored["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in restored
    assert restored["DbiResourceId"] != show(lab, "source")["DbiResourceId"]
    assert not restored["DeletionProtection"]
    assert restored["TagList"] == [{"Key": "Cluster", "Value": "lab"}]
    eventually(lambda: status(lab, "target") == "available", 10)
    assert show(lab, "target")["DBName"] == "rancher"
    assert password(lab, "target") == "first"


def test_a_moment_brings_back_the_password_that_counted(lab, rds):
    make(lab, "moments")
    eventually(lambda: "LatestRestorableTime" in show(lab, "moments"), 10)
    before = show(lab, "moments")["LatestRestorableTime"]
    set_password(lab, "moments", "second")
    eventually(lambda: password(lab, "moments") == "second", 10)
    after = datetime.now(UTC)
    eventually(lambda: show(lab, "moments")["LatestRestorableTime"] > after, 10)
    for name, moment in (("moments-before", before), ("moments-after", after)):
        rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier="moments", TargetDBInstanceIdentifier=name,
            RestoreTime=moment,
        )  # fmt: skip

    assert password(lab, "moments-before") == "first"
    assert password(lab, "moments-after") == "second"
    assert show(lab, "moments-after")["TagList"] == []


@pytest.mark.parametrize(
    ("name", "away"), [("ahead", timedelta(hours=1)), ("before", timedelta(hours=-1))]
)
def test_a_moment_that_no_backup_has_is_refused(lab, rds, name, away):
    make(lab, name)
    with pytest.raises(ClientError, match="cannot be restored"):
        rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier=name, TargetDBInstanceIdentifier="never",
            RestoreTime=datetime.now(UTC) + away,
        )  # fmt: skip


def test_the_last_snapshot_is_there_when_its_instance_is_gone(lab, rds):
    make(lab, "ending")
    rds.delete_db_instance(
        DBInstanceIdentifier="ending", FinalDBSnapshotIdentifier="ending-final",
        DeleteAutomatedBackups=False,
    )  # fmt: skip

    assert (snapshot(lab, "ending-final")["Status"], status(lab, "ending")) == (
        "creating",
        "deleting",
    )
    eventually(lambda: not [one for one in lab.aws.databases() if one.identifier == "ending"], 10)
    assert whole(lab, "ending-final")
    assert snapshot(lab, "ending-final")["SnapshotType"] == "manual"


def automated(lab: AwsLab, name: str) -> list[str]:
    found = lab.client("rds").describe_db_snapshots(
        DBInstanceIdentifier=name, SnapshotType="automated"
    )
    return [one["DBSnapshotIdentifier"] for one in found["DBSnapshots"]]


def test_backups_are_automated_where_an_instance_keeps_any(lab):
    make(lab, "kept", BackupRetentionPeriod=7)
    make(lab, "not-kept", BackupRetentionPeriod=0)
    name = lab.aws.back_up("kept")

    assert name in automated(lab, "kept")
    assert len(automated(lab, "kept")) == 2
    assert automated(lab, "not-kept") == []
    assert "LatestRestorableTime" not in show(lab, "not-kept")
    with pytest.raises(LookupError, match="keeps backups"):
        lab.aws.back_up("not-kept")


def test_a_backup_is_made_each_day_and_old_ones_go(tmp_path):
    hasty = AwsLab(tmp_path, scale=86400.0)
    try:
        make(hasty, "daily", BackupRetentionPeriod=1)
        first = automated(hasty, "daily")
        eventually(lambda: automated(hasty, "daily") and automated(hasty, "daily") != first, 10)
        eventually(lambda: first[0] not in automated(hasty, "daily"), 10)
    finally:
        hasty.stop()
