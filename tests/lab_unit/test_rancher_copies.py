"""A copy of Rancher's database: the data of then, and its processes go on."""

import asyncio
import time

from machines_surroundings import make_world, until

from lab.rancher import RancherCluster, RancherServer
from lab.rancher.rows import Stack


def on_two(tmp_path, scenario):
    """Play a scenario on a cluster with data, standing still, and a way to copy it."""

    async def run():
        world = make_world(tmp_path, scale=100.0)
        cluster = RancherCluster(world, "first")
        await cluster.migration.run("server", "v1.6.30", release=False)
        cluster.migrated()
        await scenario(world, cluster)

    asyncio.run(run())


async def a_server(cluster: RancherCluster) -> RancherServer:
    server = RancherServer(cluster, ("127.0.0.1", 0))
    await server.start()
    await asyncio.wait_for(server.is_up.wait(), 20)
    return server


def test_a_copy_does_not_change_with_what_it_was_taken_of(tmp_path):
    async def scenario(world, cluster):
        cluster.store.settings["api.host"] = "https://then"
        copy = cluster.copy()
        cluster.store.settings["api.host"] = "https://now"
        cluster.seed_herd(3)
        restored = RancherCluster(world, "second", copy)

        assert restored.store.settings["api.host"] == "https://then"
        assert (len(restored.store.hosts), len(cluster.store.hosts)) == (0, 3)
        assert len(restored.store.accounts) == len(cluster.store.accounts)
        assert restored.store.accounts.where("uuid", "admin")
        assert restored.migration.is_done

    on_two(tmp_path, scenario)


def test_a_process_that_had_begun_goes_on_where_the_copy_is_served(tmp_path):
    async def scenario(world, cluster):
        stack = Stack(kind="stack", name="web", created=time.time(), account_id=1)
        cluster.store.stacks.add(stack)
        cluster.engine.create("stack", stack)
        assert stack.state == "activating"
        restored = RancherCluster(world, "second", cluster.copy())
        row = restored.store.stacks.get(stack.id)
        assert row is not stack
        server = await a_server(restored)
        await until(lambda: row.state == "active", "the end of its creation")

        assert stack.state == "activating"
        assert not restored.store.processes
        await server.stop()

    on_two(tmp_path, scenario)


def test_a_copy_of_before_the_catalog_came_gets_it_later(tmp_path):
    async def scenario(world, cluster):
        restored = RancherCluster(world, "second", cluster.copy())
        server = await a_server(restored)
        await until(lambda: restored.catalog_loaded, "the catalog")
        assert len(restored.store.project_templates)
        again = RancherCluster(world, "third", restored.copy())
        assert again.catalog_loaded
        await server.stop()

    on_two(tmp_path, scenario)
