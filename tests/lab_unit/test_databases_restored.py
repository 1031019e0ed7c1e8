"""What is in an instance that was restored: Rancher's data of then, and what it had begun."""

from typing import Any

import pytest
from aws_lab import eventually
from machines_cluster import Cluster
from machines_surroundings import DATABASE


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("lab"))
    made.build()
    yield made
    made.stop()


def test_servers_and_agents_find_themselves_on_a_restored_database(cluster):
    rds = cluster.client("rds")
    environments = names(cluster)
    rds.create_db_snapshot(DBInstanceIdentifier="lab-database", DBSnapshotIdentifier="before")
    eventually(lambda: snapshot(cluster)["Status"] == "available", 20)
    cluster.ask("POST", "/v2-beta/projects", json={"name": "later"})
    assert "later" in names(cluster)

    rds.restore_db_instance_from_db_snapshot(
        DBSnapshotIdentifier="before", DBInstanceIdentifier="lab-database-2"
    )
    eventually(lambda: restored(cluster).status == "available", 60)
    cluster._name(DATABASE, restored(cluster).address)
    cluster.lab.run(
        cluster.machines.find(cluster.server).docker.find("rancher-server").stop(by_hand=True)
    )
    cluster.call(cluster.machines.find(cluster.server).docker.find("rancher-server").start)
    eventually(cluster.answers_ping, 60)

    assert names(cluster) == environments
    assert list(cluster.images.clusters) == ["lab-database", "lab-database-2"]
    row = cluster.images.clusters["lab-database-2"].stored_hosts()[0]
    assert row["labels"]["aws.instance_id"] == cluster.host
    eventually(lambda: is_connected(cluster), 60)


def is_connected(cluster: Cluster) -> bool:
    data = cluster.images.clusters["lab-database-2"]
    (host,) = data.stored_hosts()
    return host["agentState"] == "active" and bool(data.connections)


def restored(cluster: Cluster) -> Any:
    return next(one for one in cluster.lab.aws.databases() if one.identifier == "lab-database-2")


def snapshot(cluster: Cluster) -> dict[str, Any]:
    found = cluster.client("rds").describe_db_snapshots(DBSnapshotIdentifier="before")
    return found["DBSnapshots"][0]


def names(cluster: Cluster) -> set[str]:
    return {one["name"] for one in cluster.ask("GET", "/v2-beta/projects").json()["data"]}
