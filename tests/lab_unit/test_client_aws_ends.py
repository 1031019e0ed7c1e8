"""The end of what no state holds, and the search for what is left, against the lab's AWS."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import boto3
import pytest
from aws_lab import KEYS, AwsLab, eventually
from mortality import Death, Fate

from corral.clients import aws
from corral.domain.leftovers import judge_leftovers
from lab.aws.gaps import database_life

PATIENCE_S = 60.0
READING = ("Describe", "List", "Get")


@pytest.fixture
def session(aws_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    # How long RDS takes is of no concern here.
    monkeypatch.setattr(database_life, "CREATING_S", 0.0)
    monkeypatch.setattr(database_life, "DELETING_S", 1.0)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_lab.world.aws_endpoint)
    return boto3.Session(**KEYS)


def tags_of(cluster: str) -> list[dict[str, str]]:
    return [{"Key": "Cluster", "Value": cluster}, {"Key": "ManagedBy", "Value": "corral"}]


def make_database(aws_lab: AwsLab, name: str, cluster: str) -> None:
    rds = aws_lab.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.small",
        Engine="mysql",
        MasterUsername="rancher",
        MasterUserPassword="a-password",
        AllocatedStorage=20,
        DeletionProtection=True,
        Tags=tags_of(cluster),
    )
    aws_lab.client("logs").create_log_group(logGroupName=f"/aws/rds/instance/{name}/error")


def snapshots_of(aws_lab: AwsLab, name: str) -> list[str]:
    rds = aws_lab.client("rds")
    found = rds.describe_db_snapshots(DBInstanceIdentifier=name, SnapshotType="manual")
    return [one["DBSnapshotIdentifier"] for one in found["DBSnapshots"]]


def mortal(fate: Fate) -> boto3.Session:
    """Return a session whose process may die with each write to AWS."""
    session = boto3.Session(**KEYS)

    def answered(model: Any, **_: Any) -> None:
        if not model.name.startswith(READING):
            fate.answered()

    session.events.register("after-call", answered)
    return session


def end_all(session: boto3.Session, cluster: str) -> None:
    """Take the steps of an end that are about what no state holds."""
    for one in aws.find_instances(session, {"Cluster": cluster}):
        end_one(session, one.identifier)
    aws.end_log_groups(session, f"{cluster}-database")
    for name in aws.list_secrets(session, {"Cluster": cluster, "ManagedBy": "corral"}):
        aws.end_secret(session, name)


def lives_through(session: boto3.Session, cluster: str) -> bool:
    """Take these steps, and say whether the process lived to their end."""
    try:
        end_all(session, cluster)
    except Death:
        return False
    return True


def end_one(session: boto3.Session, name: str) -> None:
    eventually(lambda: aws.end_database(session, name, f"{name}-final"), PATIENCE_S)


def test_databases_are_found_by_the_clusters_tag(aws_lab, session):
    make_database(aws_lab, "tagged-database", "tagged")
    make_database(aws_lab, "others-database", "others")

    (found,) = aws.find_instances(session, {"Cluster": "tagged"})

    assert found.identifier == "tagged-database"
    assert found.resource_id.startswith("db-")


def test_a_database_ends_after_its_last_snapshot_in_spite_of_its_protection(aws_lab, session):
    make_database(aws_lab, "kept-database", "kept")

    end_all(session, "kept")

    assert aws.find_instances(session, {"Cluster": "kept"}) == []
    assert snapshots_of(aws_lab, "kept-database") == ["kept-database-final"]
    groups = aws_lab.client("logs").describe_log_groups(
        logGroupNamePrefix="/aws/rds/instance/kept-"
    )
    assert groups["logGroups"] == []


def test_a_database_that_is_thrown_away_leaves_no_snapshot(aws_lab, session):
    make_database(aws_lab, "drill-database", "drill")

    eventually(lambda: aws.end_database(session, "drill-database", ""), PATIENCE_S)

    assert snapshots_of(aws_lab, "drill-database") == []


def test_secrets_of_corral_go_and_those_of_people_stay(aws_lab, session):
    vault = aws_lab.client("secretsmanager")
    vault.create_secret(Name="going/admin", SecretString="{}", Tags=tags_of("going"))
    vault.create_secret(Name="going/registry", SecretString="{}")
    ours = {"Cluster": "going", "ManagedBy": "corral"}

    for name in aws.list_secrets(session, ours):
        aws.end_secret(session, name)

    assert aws.list_secrets(session, ours) == []
    assert "DeletedDate" in vault.describe_secret(SecretId="going/admin")
    assert "DeletedDate" not in vault.describe_secret(SecretId="going/registry")
    aws.end_secret(session, "going/never-was")


def test_a_cluster_that_is_built_again_calls_its_secrets_back(session):
    tags = {"Cluster": "back", "ManagedBy": "corral"}
    vault = aws.SecretVault(session, tags)
    vault.write("back/admin", {"key": "first"})
    aws.end_secret(session, "back/admin")
    assert vault.read("back/admin") is None

    vault.write("back/admin", {"key": "second"})

    assert vault.read("back/admin") == {"key": "second"}
    assert aws.list_secrets(session, tags) == ["back/admin"]


def test_a_group_that_ends_starts_no_more_machines(aws_lab, session):
    aws_lab.group("full", 1)
    aws.stop_growth(session, "full")

    aws_lab.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="full", DesiredCapacity=3
    )

    assert len(aws_lab.members("full")) == 1
    aws.stop_growth(session, "never-was")


def test_whoever_is_killed_at_any_write_is_finished_by_the_next_run(aws_lab, session):
    def build(cluster: str) -> None:
        make_database(aws_lab, f"{cluster}-database", cluster)
        vault = aws_lab.client("secretsmanager")
        for name in ("admin", "environment"):
            vault.create_secret(Name=f"{cluster}/{name}", SecretString="{}", Tags=tags_of(cluster))

    for calls in count():
        cluster = f"mortal{calls}"
        build(cluster)
        lived = lives_through(mortal(Fate(calls)), cluster)

        end_all(session, cluster)

        assert aws.find_instances(session, {"Cluster": cluster}) == []
        assert aws.end_log_groups(session, f"{cluster}-database") == []
        assert snapshots_of(aws_lab, f"{cluster}-database") == [f"{cluster}-database-final"]
        assert aws.list_secrets(session, {"Cluster": cluster}) == []
        if lived:
            break
    assert calls >= 5, "protection, deletion, logs, and two secrets"


@pytest.fixture
def remains(aws_lab: AwsLab) -> Iterator[None]:
    """What may be left of a cluster: a network, a group, a role, a record, a leaving secret."""
    ec2, iam, dns = aws_lab.client("ec2"), aws_lab.client("iam"), aws_lab.client("route53")
    vpc = ec2.create_vpc(CidrBlock="10.65.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=tags_of("left"))
    aws_lab.group("left-web", 0, Tags=tags_of("left"))
    for name, cluster in (("left-web", "left"), ("left-overs-web", "left-overs")):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}", Tags=tags_of(cluster))
    vault = aws_lab.client("secretsmanager")
    vault.create_secret(Name="left/admin", SecretString="{}", Tags=tags_of("left"))
    vault.delete_secret(SecretId="left/admin", RecoveryWindowInDays=30)
    zone = dns.list_hosted_zones()["HostedZones"][0]["Id"]
    record = {"Name": "left.corral.test", "Type": "CNAME", "TTL": 60}
    change = {"ResourceRecordSet": record | {"ResourceRecords": [{"Value": "x.test"}]}}
    for action in ("CREATE", "DELETE"):
        batch = {"Changes": [{"Action": action, **change}]}
        dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
        if action == "CREATE":
            yield


@pytest.mark.usefixtures("remains")
def test_what_is_left_of_a_cluster_is_found(session):
    found = [
        *aws.find_tagged(session, "left"),
        *aws.find_groups(session, "left"),
        *aws.find_roles(session, "left"),
        *aws.find_records(session, "corral.test", ["left.corral.test", "db.corral.test"]),
    ]

    left = judge_leftovers(found, state_bucket="states")

    unwanted = " ".join(one.name for one in left if not one.reason)
    kept = [one for one in left if one.reason]
    assert ":vpc/vpc-" in unwanted
    assert "autoScalingGroupName/left-web" in unwanted
    assert ":role/left-web" in unwanted
    assert "left-overs" not in unwanted
    assert "CNAME record left.corral.test" in unwanted
    assert len(kept) == 1
    assert "secret:left/admin" in kept[0].name
