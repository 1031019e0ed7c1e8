"""Rancher's images on a machine: which database a server gets, and which it does not."""

import asyncio
from pathlib import Path

import pytest
from machines_surroundings import DATABASE, FakeAws, FakeBalancers, make_world

from lab.machines import Names, RancherImages
from lab.machines.docker.daemon import Daemon
from lab.machines.docker.workload import Spec
from lab.machines.outside import MachineFacts
from lab.machines.workloads import DatabaseError

GOOD = {
    "CATTLE_DB_CATTLE_MYSQL_HOST": DATABASE,
    "CATTLE_DB_CATTLE_MYSQL_NAME": "cattle",
    "CATTLE_DB_CATTLE_USERNAME": "cattle",
    "CATTLE_DB_CATTLE_PASSWORD": "pa55-database",
}


def make_images(root: Path, aws: FakeAws) -> RancherImages:
    world = make_world(root)
    return RancherImages(world, aws, Names(world, aws, FakeBalancers(), root / "tls"))


def test_servers_on_one_database_are_one_cluster(tmp_path):
    async def scenario() -> None:
        images = make_images(tmp_path, FakeAws())

        assert images.cluster_of(GOOD) is images.cluster_of(GOOD)
        assert list(images.clusters) == ["lab"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"CATTLE_DB_CATTLE_MYSQL_HOST": "other.test"}, "Could not connect to other.test"),
        ({"CATTLE_DB_CATTLE_PASSWORD": "wrong"}, "Access denied for user 'cattle'"),
        ({"CATTLE_DB_CATTLE_USERNAME": "root"}, "Access denied for user 'root'"),
        ({"CATTLE_DB_CATTLE_MYSQL_NAME": "rancher"}, "Unknown database 'rancher'"),
    ],
)
def test_a_server_that_the_database_refuses_exits_with_the_drivers_words(tmp_path, change, told):
    async def scenario() -> tuple[int, list[str]]:
        images = make_images(tmp_path, FakeAws())
        facts = MachineFacts("i-1", "10.42.16.5", "ip-10-42-16-5.ec2.internal", tmp_path)
        start = images.on(facts, Daemon(lambda seconds: seconds))["rancher/server"]
        lines: list[str] = []
        spec = Spec("rancher/server:v1.6.30", environment={**GOOD, **change})
        return await start(spec).run(lines.append), lines

    code, lines = asyncio.run(scenario())
    assert code == 1
    assert told in lines[0]


def test_a_database_that_is_not_available_refuses(tmp_path):
    async def scenario() -> None:
        images = make_images(tmp_path, FakeAws(database_status="stopped"))
        with pytest.raises(DatabaseError, match="Connection refused"):
            images.cluster_of(GOOD)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("https://localhost/v1/scripts/t",), {}),
        (("register",), {"RANCHER_URL": "https://localhost/v1/scripts/t"}),
    ],
    ids=["argument", "environment"],
)
def test_a_launcher_takes_its_address_either_way(tmp_path, arguments, environment):
    async def scenario() -> tuple[int, list[str]]:
        images = make_images(tmp_path, FakeAws())
        facts = MachineFacts("i-1", "10.42.16.5", "ip-10-42-16-5.ec2.internal", tmp_path)
        start = images.on(facts, Daemon(lambda seconds: seconds))["rancher/agent"]
        lines: list[str] = []
        spec = Spec("rancher/agent:v1.2.11", arguments, environment)
        return await start(spec).run(lines.append), lines

    code, lines = asyncio.run(scenario())
    assert code == 1
    assert "https://localhost/v1/scripts/t is the agent itself" in lines[0]
