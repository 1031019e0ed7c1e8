"""The end of the stage cluster: a pool alone, then all of it, by a run that is killed half-way.

It is the last that is done with this cluster: nothing of it is left afterwards.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.lab.harness import wait_until
from tests.lab.herd_of_stage import SEEDED_NETWORK
from tests.lab.stage import FLOW_S, Stage

pytestmark = [
    pytest.mark.lab,
    pytest.mark.usefixtures("standing"),
    pytest.mark.xdist_group("herd"),
    pytest.mark.timeout(2700),
]

FLOW = "flows.destroy_cluster.destroy_cluster"
POOL = "crawler"
STATES = "corral-lab-terraform-states"


def test_a_wrong_name_changes_nothing(stage: Stage):
    stage.lever("DELETE", "/journal")

    run = stage.refuse(FLOW, "destroy-wrong-name", confirm="prod")

    assert "Refused" in run.text
    assert "`prod` was typed" in run.text
    assert stage.writes() == []


def test_a_pool_is_destroyed_alone(stage: Stage):
    machines = machines_of(stage, POOL)
    assert machines

    run = stage.finish(FLOW, "destroy-pool", pool=POOL, confirm=POOL)

    assert re.search(rf"Destroyed.*The pool {POOL} of lab is gone", run.text)
    rows = stage.lever("GET", "/hosts")
    ours = [row for row in rows if row["labels"].get("aws.instance_id") in machines]
    assert ours
    assert all(row["removed"] for row in ours), "its hosts left Rancher"
    staying = [row for row in rows if not row["removed"]]
    assert staying, "the others stay"
    groups = stage.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert {group["AutoScalingGroupName"] for group in groups} == {
        "lab-control",
        "lab-web",
        "lab-celery",
    }


def test_an_end_that_was_killed_half_way_is_finished_by_the_next_run(stage: Stage):
    expected = last_snapshots(stage)
    standing = expected[standing_database(stage)]

    run = stage.run_flow(FLOW, "destroy-killed", cluster="lab", confirm="lab")
    run.wait_for_line("aws_db_instance.this: destroying", FLOW_S)
    run.kill()
    assert "lab/control-plane" not in unfinished(stage)

    end = stage.finish(FLOW, "destroy", confirm="lab")

    said = re.search(r"Destroyed.*lab: database, security-groups, vpc.*", end.text)
    assert said
    assert "Left over" not in end.text
    # The database that a restore replaced leaves one as well; the end names the one that stood.
    finals = [name for name in snapshots(stage, "manual") if "-final-" in name]
    assert sorted(finals) == sorted(expected.values())
    assert standing in said[0]
    assert left(stage) == {}
    assert unfinished(stage) == []
    assert stage.locks() == []


def test_nothing_is_done_where_nothing_is_left(stage: Stage):
    stage.lever("DELETE", "/journal")

    run = stage.finish(FLOW, "destroy-again", ask=False)

    assert re.search("Destroyed.*nothing was left to destroy", run.text)
    assert stage.writes() == []


def machines_of(stage: Stage, pool: str) -> set[str]:
    (group,) = stage.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[f"lab-{pool}"]
    )["AutoScalingGroups"]
    return {member["InstanceId"] for member in group["Instances"]}


def last_snapshots(stage: Stage) -> dict[str, str]:
    """Return how the last snapshot of each database has to be called, by the database."""
    rows = stage.client("rds").describe_db_instances()["DBInstances"]
    assert rows
    marks = {row["DBInstanceIdentifier"]: row["DbiResourceId"].removeprefix("db-") for row in rows}
    return {name: f"{name}-final-{mark[:8].lower()}" for name, mark in marks.items()}


def standing_database(stage: Stage) -> str:
    """Return the database that Rancher has, and no restore has replaced."""
    answer = stage.client("s3").get_object(Bucket=STATES, Key="lab/database.tfstate")
    resources = json.loads(answer["Body"].read())["resources"]
    (row,) = [one for one in resources if one["type"] == "aws_db_instance"]
    return str(row["instances"][0]["attributes"]["identifier"])


def snapshots(stage: Stage, kind: str) -> list[str]:
    found = stage.client("rds").describe_db_snapshots(SnapshotType=kind)["DBSnapshots"]
    return [one["DBSnapshotIdentifier"] for one in found]


def unfinished(stage: Stage) -> list[str]:
    """Return the keys of the states that still hold something."""
    s3 = stage.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=STATES, Prefix="lab/")["Contents"]]
    states = (key for key in keys if key.endswith(".tfstate"))
    bodies = {key: s3.get_object(Bucket=STATES, Key=key)["Body"].read() for key in states}
    return [key for key, body in bodies.items() if b'"resources": []' not in body]


def left(stage: Stage) -> dict[str, list[Any]]:
    """Return whatever any service that a cluster uses still has, by kind.

    Without what was there before the first build, what states and snapshots are, and secrets that
    are in their recovery window.
    """
    wait_until(lambda: not living(stage), 60, "the last machines have shut down")
    return {kind: found for kind, found in everything(stage) if found}


def living(stage: Stage) -> list[str]:
    pages = stage.client("ec2").describe_instances()["Reservations"]
    rows = (row for page in pages for row in page["Instances"])
    return [row["InstanceId"] for row in rows if row["State"]["Name"] != "terminated"]


def everything(stage: Stage) -> Iterator[tuple[str, list[Any]]]:
    yield from network(stage)
    scaling, balancing = stage.client("autoscaling"), stage.client("elbv2")
    yield "groups", scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    yield "load balancers", balancing.describe_load_balancers()["LoadBalancers"]
    yield "target groups", balancing.describe_target_groups()["TargetGroups"]
    rds = stage.client("rds")
    yield "databases", rds.describe_db_instances()["DBInstances"]
    yield "parameter groups", rds.describe_db_parameter_groups()["DBParameterGroups"]
    yield "subnet groups", rds.describe_db_subnet_groups()["DBSubnetGroups"]
    yield "certificates", stage.client("acm").list_certificates()["CertificateSummaryList"]
    yield "queues", stage.client("sqs").list_queues().get("QueueUrls", [])
    yield "rules", stage.client("events").list_rules()["Rules"]
    yield "alarms", stage.client("cloudwatch").describe_alarms()["MetricAlarms"]
    yield "log groups", stage.client("logs").describe_log_groups()["logGroups"]
    iam = stage.client("iam")
    yield "roles", [row["RoleName"] for row in iam.list_roles()["Roles"]]
    profiles = iam.list_instance_profiles()["InstanceProfiles"]
    yield "profiles", [row["InstanceProfileName"] for row in profiles]
    secrets = stage.client("secretsmanager").list_secrets()["SecretList"]
    yield "secrets", [row["Name"] for row in secrets if row.get("Tags")]
    buckets = stage.client("s3").list_buckets()["Buckets"]
    yield "buckets", [row["Name"] for row in buckets if "terraform-states" not in row["Name"]]
    yield "records", records(stage)


def network(stage: Stage) -> Iterator[tuple[str, list[Any]]]:
    """Yield what EC2 has beside the default VPC, and that of hosts which other tests made up."""
    ec2 = stage.client("ec2")
    vpcs = ec2.describe_vpcs()["Vpcs"]
    ours = {vpc["VpcId"] for vpc in vpcs if not (vpc["IsDefault"] or is_seeded(vpc))}
    yield "networks", sorted(ours)
    for kind, rows in {
        "subnets": ec2.describe_subnets()["Subnets"],
        "security groups": ec2.describe_security_groups()["SecurityGroups"],
        "route tables": ec2.describe_route_tables()["RouteTables"],
        "network ACLs": ec2.describe_network_acls()["NetworkAcls"],
        "interfaces": ec2.describe_network_interfaces()["NetworkInterfaces"],
    }.items():
        yield kind, [row for row in rows if row["VpcId"] in ours]
    yield "addresses", ec2.describe_addresses()["Addresses"]
    yield "flow logs", ec2.describe_flow_logs()["FlowLogs"]
    yield "gateways", ec2.describe_internet_gateways()["InternetGateways"]
    yield "launch templates", ec2.describe_launch_templates()["LaunchTemplates"]
    yield "volumes", ec2.describe_volumes()["Volumes"]
    gateways = ec2.describe_nat_gateways()["NatGateways"]
    yield "NAT gateways", [row for row in gateways if row["State"] != "deleted"]
    endpoints = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    yield "endpoints", [row for row in endpoints if row["State"] != "deleted"]


def is_seeded(vpc: Mapping[str, Any]) -> bool:
    return str(vpc["CidrBlock"]).startswith(SEEDED_NETWORK)


def records(stage: Stage) -> list[str]:
    dns = stage.client("route53")
    (zone,) = dns.list_hosted_zones()["HostedZones"]
    rows = dns.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    return [row["Name"] for row in rows if row["Type"] not in ("NS", "SOA")]
