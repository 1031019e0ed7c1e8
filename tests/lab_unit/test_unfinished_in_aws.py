"""A build looks what upgrades and restores that died have left, in the places where they leave it.

Nobody answers as Rancher here.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from corral.clients import aws
from corral.domain.restores import NOTE, Restore, Source
from corral.domain.standing import Standing
from corral.domain.upgrades import DONE_TAG, SOURCE_TAG, TARGET_TAG
from corral.errors import PrerequisiteError
from corral.settings import Settings, load_cluster_spec
from tasks import connect
from tasks.unfinished import check_finished

SPEC = load_cluster_spec("lab", Settings())
NOW = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
OLD, SNAPSHOT = "lab-database", "lab-database-before"
RESTORE = Restore.new("lab", Source(snapshot=SNAPSHOT), Standing(OLD), NOW).agreed()
BEGUN = {SOURCE_TAG: "v1.6.29", TARGET_TAG: "v1.6.30"}


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    """A database with its snapshot, which no state knows of yet."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("CORRAL_RANCHER_URL", "http://127.0.0.1:9")
    connect.settings.cache_clear()
    with mock_aws():
        session = aws.open_session(SPEC.aws.region)
        make_instance(session, OLD)
        session.client("s3").create_bucket(Bucket=SPEC.aws.state_bucket)
        yield session
    connect.settings.cache_clear()


def make_instance(session: boto3.Session, name: str) -> None:
    session.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.m5.large",
        Engine="mysql",
        AllocatedStorage=20,
        MasterUsername="rancher",
        MasterUserPassword="of-then",
    )


def begin_upgrade(session: boto3.Session, **tags: str) -> None:
    assert aws.take_snapshot(session, OLD, SNAPSHOT, BEGUN | tags)


def put(session: boto3.Session, name: str, text: str) -> None:
    bucket = SPEC.aws.state_bucket
    session.client("s3").put_object(Bucket=bucket, Key=f"lab/{name}", Body=text.encode())


def write_state(session: boto3.Session, *resources: dict[str, Any]) -> None:
    state = {"version": 4, "outputs": {}, "resources": list(resources)}
    put(session, "database.tfstate", json.dumps(state))


def resource(kind: str, **attributes: str) -> dict[str, Any]:
    instances = [{"attributes": attributes}]
    return {"mode": "managed", "type": kind, "name": "this", "instances": instances}


def database(session: boto3.Session, **other: str) -> dict[str, Any]:
    """Return the instance as its state has it."""
    (row,) = session.client("rds").describe_db_instances(DBInstanceIdentifier=OLD)["DBInstances"]
    known = {"identifier": OLD, "resource_id": row["DbiResourceId"]}
    return resource("aws_db_instance", **known | other)


def test_a_cluster_that_is_not_built_yet_has_nothing_to_finish(session: boto3.Session):
    session.client("s3").delete_bucket(Bucket=SPEC.aws.state_bucket)

    check_finished.fn(SPEC)


def test_an_upgrade_that_was_begun_is_told_with_its_snapshot(session: boto3.Session):
    write_state(session, database(session))
    begin_upgrade(session)

    with pytest.raises(PrerequisiteError, match=rf"run upgrade-rancher/lab\..*={SNAPSHOT} "):
        check_finished.fn(SPEC)


def test_an_upgrade_that_is_over_is_not(session: boto3.Session):
    write_state(session, database(session))
    begin_upgrade(session, **{DONE_TAG: "v1.6.30"})

    check_finished.fn(SPEC)


def test_the_upgrade_of_an_earlier_cluster_of_that_name_is_not(session: boto3.Session):
    begin_upgrade(session)
    write_state(session, database(session, resource_id="db-OFTHISCLUSTER"))

    check_finished.fn(SPEC)


def test_a_restore_whose_old_instance_was_let_go_is_told(session: boto3.Session):
    make_instance(session, RESTORE.identifier)
    write_state(session, resource("aws_db_subnet_group"))
    put(session, NOTE, RESTORE.model_dump_json())

    with pytest.raises(PrerequisiteError, match="restore-database/lab again"):
        check_finished.fn(SPEC)


def test_a_restore_that_has_only_stopped_servers_is_not(session: boto3.Session):
    make_instance(session, RESTORE.identifier)
    write_state(session, database(session))
    put(session, NOTE, RESTORE.model_dump_json())

    check_finished.fn(SPEC)


def test_a_restore_of_a_cluster_that_was_destroyed_since_is_not(session: boto3.Session):
    put(session, NOTE, RESTORE.model_dump_json())

    check_finished.fn(SPEC)
