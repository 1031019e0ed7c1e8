"""Control node and host as in a cluster: the lab's AWS, balancer, Rancher and machines together."""

import json
from collections.abc import Iterator

import psutil
import pytest
from aws_lab import eventually
from machines_cluster import Cluster
from machines_surroundings import SERVE

from lab.machines import NoMachineError

pytestmark = pytest.mark.xdist_group("machines-whole")

HOSTS = "GET /v2-beta/projects/{id}/hosts"


def is_in_service(row):
    return row["state"] == row["agentState"] == "active"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One control node behind the balancer, and one host; the tests tell their story in order."""
    elders = set(psutil.Process().children(recursive=True))
    cluster = Cluster(tmp_path_factory.mktemp("whole"))
    try:
        cluster.build()
        yield cluster
    finally:
        cluster.stop()
    assert set(psutil.Process().children(recursive=True)) <= elders


def test_a_host_joined_the_server_that_another_machine_serves(cluster):
    row = cluster.hosts()[0]

    assert (
        row["labels"].items()
        >= {
            "role": "web",
            "env": "default",
            "aws.instance_id": cluster.host,
            "aws.account_id": "123456789012",
            "aws.region": "us-east-1",
        }.items()
    )
    assert row["agentIpAddress"] == cluster.address(cluster.host)


def test_a_machine_that_stops_parks_its_host_and_its_containers_move(cluster):
    other = cluster.row(cluster.launch_host())["id"]
    environment = cluster.row(cluster.host)["accountId"]
    cluster.call(cluster.rancher.seed_service, "shop", 4, environment)
    eventually(lambda: len(cluster.containers(other)) == 2, 20)
    cluster.client("ec2").stop_instances(InstanceIds=[cluster.host])
    eventually(lambda: cluster.lab.instance_state(cluster.host) == "stopped", 40)
    assert "power off" in cluster.console(cluster.host)

    row = cluster.row(cluster.host)
    assert (row["id"], row["state"], row["removed"]) == ("1h1", "inactive", None)
    eventually(lambda: len(cluster.containers(other)) == 4, 20)
    assert cluster.containers("1h1") == []


def test_the_same_host_is_back_in_service_after_a_stop(cluster):
    cluster.client("ec2").start_instances(InstanceIds=[cluster.host])

    eventually(lambda: is_in_service(cluster.row(cluster.host)), 40)
    eventually(
        lambda: (
            cluster.console(cluster.host).count(
                "join.service /opt/corral-node/bin/corral-node ended with 0"
            )
            == 2
        ),
        20,
    )
    assert cluster.alerts() == []


def test_a_machine_that_ends_takes_its_host_along(cluster):
    host = cluster.launch_host()
    cluster.client("ec2").terminate_instances(InstanceIds=[host])

    eventually(lambda: cluster.lab.instance_state(host) == "terminated", 40)
    assert "power off" in cluster.console(host)
    assert cluster.row(host)["state"] == "purged"
    assert cluster.alerts() == []


def test_who_cannot_leave_says_so_once_and_ends_within_its_time(cluster):
    slow = {"target": "rancher", "match": {"operation": HOSTS}, "effect": {"trickle_s": 300}}
    cluster.lab.world.faults.add(slow)
    cluster.client("ec2").stop_instances(InstanceIds=[cluster.host])
    eventually(lambda: cluster.lab.instance_state(cluster.host) == "stopped", 60)
    assert cluster.console(cluster.host).count("power off") == 2
    cluster.lab.world.faults.clear()

    [alert] = cluster.alerts()
    assert alert["dedup_key"] == f"corral/default/leave/{cluster.host}"
    assert alert["event_action"] == "trigger"
    text = alert["payload"]["custom_details"]["text"]
    assert f"host {cluster.host}" in text
    assert "leave.service /opt/corral-node/bin/corral-node ended with 75" in cluster.console(
        cluster.host
    )


def test_the_trouble_is_over_when_the_machine_is_back(cluster):
    cluster.client("ec2").start_instances(InstanceIds=[cluster.host])
    eventually(lambda: len(cluster.alerts()) == 2, 60)

    assert cluster.alerts()[1]["event_action"] == "resolve"
    assert cluster.alerts()[1]["dedup_key"] == f"corral/default/leave/{cluster.host}"
    eventually(lambda: cluster.row(cluster.host)["agentState"] == "active", 20)


def test_a_partitioned_host_is_lost_and_found(cluster):
    cluster.call(cluster.machines.partition, cluster.host, 5.0)

    eventually(lambda: cluster.hosts()[0]["agentState"] == "reconnecting", 20)
    eventually(lambda: cluster.hosts()[0]["agentState"] == "active", 20)


def test_a_crashed_host_stays_behind_in_rancher(cluster):
    farewells = cluster.console(cluster.host).count("leave.service stopping")
    cluster.lab.run(cluster.machines.crash(cluster.host))
    cluster.call(cluster.lab.aws.crash, cluster.host)

    eventually(lambda: cluster.row(cluster.host)["agentState"] == "disconnected", 40)
    assert (cluster.row(cluster.host)["state"], cluster.row(cluster.host)["removed"]) == (
        "active",
        None,
    )
    assert "lost power" in cluster.console(cluster.host)
    assert cluster.console(cluster.host).count("leave.service stopping") == farewells
    with pytest.raises(NoMachineError, match="no machine is switched on"):
        cluster.call(cluster.machines.partition, cluster.host, 5.0)


def test_a_server_with_a_wrong_password_exits_and_is_started_again(cluster):
    secrets = cluster.client("secretsmanager")
    wrong = json.dumps({"username": "cattle", "password": "wr0ng"})
    secrets.create_secret(Name="lab/wrong", SecretString=wrong)
    database = {**SERVE["database"], "secret_id": "lab/wrong"}
    node = cluster.launch({**SERVE, "database": database}, "serve")
    eventually(lambda: "started from" in cluster.console(node), 30)
    server = cluster.machines.find(node).docker.find("rancher-server")

    eventually(lambda: server.restarts > 2, 20)
    assert server.log[0] == "STARTUP FAILED: Access denied for user 'cattle' (using password: YES)"
