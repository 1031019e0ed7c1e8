"""Snapshots of databases in the lab's AWS: taken once for each name, looked up, listed."""

import boto3
import pytest
from aws_lab import KEYS, AwsLab, eventually

from corral.clients.aws import (
    check_snapshot,
    hold_replacing,
    list_snapshots,
    newest_snapshot,
    read_snapshot,
    resume_replacing,
    tag_snapshot,
    take_snapshot,
)
from corral.errors import AwsError, PrerequisiteError


@pytest.fixture
def session(aws_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_lab.world.aws_endpoint)
    return boto3.Session(**KEYS)


def make_database(aws_lab: AwsLab, name: str) -> str:
    rds = aws_lab.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.medium",
        Engine="mysql",
        MasterUsername="rancher",
        MasterUserPassword="not-a-secret",
        AllocatedStorage=20,
    )
    eventually(lambda: status_of(aws_lab, name) == "available", 20.0)
    return name


def status_of(aws_lab: AwsLab, name: str) -> str:
    found = aws_lab.client("rds").describe_db_instances(DBInstanceIdentifier=name)
    return found["DBInstances"][0]["DBInstanceStatus"]


def is_available(session: boto3.Session, name: str) -> bool:
    found = read_snapshot(session, name)
    return found is not None and found.is_available


def test_a_snapshot_is_taken_once_for_a_name_and_carries_its_tags(aws_lab, session):
    instance = make_database(aws_lab, "taken-once")

    first = take_snapshot(session, instance, "taken-once-before", {"Cluster": "lab"})
    eventually(lambda: is_available(session, "taken-once-before"), 20.0)
    again = take_snapshot(session, instance, "taken-once-before", {"Cluster": "other"})

    found = read_snapshot(session, "taken-once-before")
    (row,) = aws_lab.client("rds").describe_db_instances(DBInstanceIdentifier=instance)[
        "DBInstances"
    ]
    assert found.resource_id == row["DbiResourceId"]
    assert (first, again) == (True, False)
    assert (found.instance, found.kind, dict(found.tags)) == (
        instance,
        "manual",
        {"Cluster": "lab"},
    )


def test_a_snapshot_that_nobody_took_is_none(session):
    assert read_snapshot(session, "absent") is None
    assert list_snapshots(session, "absent") == []
    assert newest_snapshot(session, "absent") is None


def test_the_newest_snapshot_of_an_instance_comes_first(aws_lab, session):
    instance = make_database(aws_lab, "listed")
    names = ["listed-1", "listed-2"]
    for name in names:
        take_snapshot(session, instance, name, {})
        eventually(lambda name=name: is_available(session, name), 20.0)

    found = [one.name for one in list_snapshots(session, instance, "manual")]

    assert found == ["listed-2", "listed-1"]
    assert newest_snapshot(session, instance, "manual").name == "listed-2"


def test_a_snapshot_of_an_instance_that_is_not_there_is_an_error(session):
    with pytest.raises(AwsError, match="absent"):
        take_snapshot(session, "absent", "of-nothing", {})


def test_a_snapshot_of_another_instance_under_the_name_is_refused(aws_lab, session):
    instance = make_database(aws_lab, "somebody")
    take_snapshot(session, instance, "ambiguous", {})
    found = eventually(lambda: read_snapshot(session, "ambiguous"))

    with pytest.raises(PrerequisiteError, match="is of somebody and not of lab-database"):
        check_snapshot(found, "lab-database")


def test_a_snapshot_is_given_further_tags_once(aws_lab, session):
    instance = make_database(aws_lab, "tagged")
    take_snapshot(session, instance, "tagged-before", {"Cluster": "lab"})
    eventually(lambda: is_available(session, "tagged-before"), 20.0)

    written = [tag_snapshot(session, "tagged-before", {"UpgradeDone": "v1"}) for _ in range(2)]

    assert written == [True, False]
    found = read_snapshot(session, "tagged-before")
    assert found.tags == {"Cluster": "lab", "UpgradeDone": "v1"}
    assert not tag_snapshot(session, "absent", {"UpgradeDone": "v1"})


def test_a_group_is_kept_from_replacing_its_sick_members_and_let_again(aws_lab, session):
    aws_lab.group("held", 0)

    done = [hold_replacing(session, "held"), hold_replacing(session, "held")]
    done += [resume_replacing(session, "held"), resume_replacing(session, "held")]

    assert done == [True, False, True, False]
