"""Restoring into an instance, by processes that may die after each of their writes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from mortality import Death, Fate
from moto import mock_aws

from corral.clients import aws
from corral.clients.aws import Instance
from corral.domain.restores import TABLES, DatabaseFacts, Shape, Source
from corral.errors import DatabaseRefusedError, PrerequisiteError
from tasks import connect
from tasks.instances import restore_into, throw_away

ORIGIN, SNAPSHOT, TARGET = "lab-database", "lab-database-1", "lab-database-20261201t083000"
PASSWORD = "of-the-secret"
WRITES = 2
RANCHERS = DatabaseFacts("5.7.44-log", TABLES, accounts=1)
TAGS = {"Cluster": "lab", "Stack": "database"}


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CORRAL_GATE_INTERVAL_S", "0.01")
    monkeypatch.setenv("CORRAL_RESTORE_DEADLINE_S", "2")
    connect.settings.cache_clear()
    yield
    connect.settings.cache_clear()


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    """A database and a snapshot of it."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        session = aws.open_session("us-east-1")
        ec2, rds = session.client("ec2"), session.client("rds")
        subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"][:2]]
        rds.create_db_subnet_group(
            DBSubnetGroupName=ORIGIN, DBSubnetGroupDescription="x", SubnetIds=subnets
        )
        rds.create_db_parameter_group(
            DBParameterGroupName="lab-mysql-5-7", DBParameterGroupFamily="mysql5.7", Description="x"
        )
        rds.create_db_instance(
            DBInstanceIdentifier=ORIGIN,
            DBInstanceClass="db.m5.large",
            Engine="mysql",
            AllocatedStorage=20,
            MasterUsername="rancher",
            MasterUserPassword="of-then",
        )
        rds.create_db_snapshot(DBInstanceIdentifier=ORIGIN, DBSnapshotIdentifier=SNAPSHOT)
        yield session


SHAPE = Shape(
    TARGET, "db.m5.large", ORIGIN, (), "lab-mysql-5-7", multi_az=False, protected=False, tags=TAGS
)


def restore(session: boto3.Session, facts: DatabaseFacts = RANCHERS, **more: Any) -> DatabaseFacts:
    def look_into(instance: Instance, password: str) -> DatabaseFacts:
        assert (instance.identifier, password) == (TARGET, PASSWORD)
        return facts

    given = {"look_into": look_into, "origin": ORIGIN, "tell": lambda _: None} | more
    return restore_into(session, Source(snapshot=SNAPSHOT), SHAPE, password=PASSWORD, **given)


def mortal(session: boto3.Session, fate: Fate) -> boto3.Session:
    """Return a session that dies with the answer to a write."""

    def answered(model: Any, **_: Any) -> None:
        if not model.name.startswith("Describe"):
            fate.answered()

    session.events.register("after-call.rds", answered)
    return session


def test_the_instance_is_made_as_it_shall_be(session: boto3.Session):
    assert restore(session) == RANCHERS

    found = session.client("rds").describe_db_instances(DBInstanceIdentifier=TARGET)
    (row,) = found["DBInstances"]
    assert row["DBSubnetGroup"]["DBSubnetGroupName"] == ORIGIN
    assert row["DBParameterGroups"][0]["DBParameterGroupName"] == "lab-mysql-5-7"
    assert row["StorageType"] == "gp3"
    assert aws.find_instances(session, TAGS)[0].identifier == TARGET


@pytest.mark.parametrize("calls", range(WRITES))
def test_a_restore_that_died_goes_on_with_the_same_instance(session: boto3.Session, calls: int):
    with pytest.raises(Death):
        restore(mortal(aws.open_session("us-east-1"), Fate(calls)))

    fate = Fate()
    restore(mortal(aws.open_session("us-east-1"), fate))

    assert fate.seen <= WRITES
    assert len(session.client("rds").describe_db_instances()["DBInstances"]) == 2


def test_it_is_waited_for_until_the_password_counts(session: boto3.Session):
    answers = iter([DatabaseRefusedError("there", "rancher"), RANCHERS])

    def look_into(_: Instance, __: str) -> DatabaseFacts:
        if isinstance(answer := next(answers), Exception):
            raise answer
        return answer

    assert restore(session, look_into=look_into) == RANCHERS


def test_what_is_no_database_of_rancher_is_no_use(session: boto3.Session):
    with pytest.raises(PrerequisiteError, match="lacks Rancher's tables"):
        restore(session, DatabaseFacts("5.7.44-log", frozenset({"somebodys"})))


def test_a_moment_is_restored_as_well(session: boto3.Session):
    moment = datetime.now(UTC) - timedelta(seconds=1)

    assert aws.restore_instance(session, Source(moment=moment), SHAPE, ORIGIN)
    assert not aws.restore_instance(session, Source(moment=moment), SHAPE, ORIGIN)


def test_what_is_thrown_away_is_gone_and_may_be_gone_already(session: boto3.Session):
    restore(session)

    for _ in range(2):
        throw_away(session, TARGET, lambda _: None)
        assert aws.read_instance(session, TARGET) is None
    assert aws.read_instance(session, ORIGIN) is not None
