"""A restart of Rancher's servers where they are: their machines, hosts and agents live on."""

import pytest
from aws_lab import eventually
from machines_cluster import Cluster

from lab.populace import restart_servers


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        made.build()
        yield made
    finally:
        made.stop()


def test_a_restarted_server_is_a_new_member_and_its_agents_come_back(cluster):
    (before,) = cluster.rancher.store.memberships
    connections = cluster.rancher.connections
    (agent_id,) = connections
    connection = connections[agent_id]

    restarted = cluster.lab.run(restart_servers(cluster.machines, cluster.lab.aws.instances()))

    assert restarted == [cluster.server]
    eventually(lambda: not cluster.answers_ping())
    eventually(cluster.answers_ping, 30)
    (after,) = cluster.rancher.store.memberships
    assert (after.uuid, after.id > before.id) == (before.uuid, True)
    eventually(lambda: connections.get(agent_id) not in (None, connection), 30)
    eventually(lambda: cluster.row(cluster.host)["agentState"] == "active", 30)
    assert cluster.lab.instance_state(cluster.server) == "running"


def test_without_a_server_there_is_nothing_to_restart(cluster):
    cluster.client("ec2").terminate_instances(InstanceIds=[cluster.server])
    eventually(lambda: "power off" in cluster.console(cluster.server), 30)

    with pytest.raises(LookupError, match="no container of Rancher's server runs"):
        cluster.lab.run(restart_servers(cluster.machines, cluster.lab.aws.instances()))
