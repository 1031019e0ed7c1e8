"""What a database remembers of the versions of Rancher that worked on it."""

import pytest
from rancher_lab import RancherLab

from lab.machines.docker.registry import ImageNotFoundError, repository_of
from lab.rancher.migration import changelog_of

OLD, NEW = "v1.6.14", "v1.6.30"
RELEASED = {"CATTLE_DB_RELEASE_CHANGE_LOCK": "true"}


@pytest.fixture
def rancher(tmp_path):
    lab = RancherLab(tmp_path, scale=200.0)
    yield lab
    lab.close()


def serve(rancher, version, address="10.77.0.1", **options):
    return rancher.start_server(address, version=version, **options)


def stop(rancher):
    for server in rancher.servers:
        rancher.run(server.stop())
    rancher.call(lambda: [rancher.cluster.store.memberships.drop(row) for row in rows(rancher)])


def rows(rancher):
    return list(rancher.cluster.store.memberships)


def tear(rancher):
    """Have a server of the new version die while it migrates the database of an old one."""
    serve(rancher, OLD)
    stop(rancher)
    dying = serve(rancher, NEW, wait=False)
    rancher.wait_for(lambda: rancher.cluster.store.schema.torn)
    rancher.run(dying.stop())


def test_a_newer_server_migrates_the_database_once(rancher):
    serve(rancher, OLD)
    before = rancher.cluster.store.schema.level
    stop(rancher)

    serve(rancher, NEW, "10.77.0.2")

    assert (before, rancher.cluster.store.schema.level) == (123, 124)
    assert rancher.get("/v2-beta", server=1).headers["X-Rancher-Version"] == NEW


def test_an_older_server_starts_on_a_newer_database_without_a_word(rancher):
    serve(rancher, NEW)
    stop(rancher)

    serve(rancher, OLD, "10.77.0.2")

    assert rancher.cluster.store.schema.level == 124


def test_no_server_that_knows_of_a_torn_change_starts_any_more(rancher):
    tear(rancher)
    lines = []

    again = serve(rancher, NEW, "10.77.0.2", wait=False, environment=RELEASED, say=lines.append)

    assert rancher.run(again.wait_exit()) == 1
    assert any("db/core-124.xml" in line for line in lines)


def test_a_server_that_never_heard_of_a_torn_change_starts(rancher):
    tear(rancher)

    serve(rancher, OLD, "10.77.0.2", environment=RELEASED)

    assert rancher.get("/ping", server=2).status_code == 200


@pytest.mark.parametrize(
    ("version", "level"),
    [("v1.5.9", 120), ("v1.6.0", 121), ("v1.6.13", 122), ("v1.6.15", 124), ("v1.6.30", 124)],
)
def test_a_release_brings_the_changelogs_of_those_before_it(version, level):
    assert changelog_of(version) == level


@pytest.mark.parametrize("tag", ["v1.6.31", "v1.7.0", "v2.0.0", "v1.6.30-rc1"])
def test_what_was_never_released_cannot_be_pulled(tag):
    with pytest.raises(ImageNotFoundError, match="manifest unknown"):
        repository_of(f"rancher/server:{tag}")


@pytest.mark.parametrize("tag", ["v1.6.30", "v1.5.10", "stable"])
def test_what_was_released_can_be_pulled(tag):
    assert repository_of(f"rancher/server:{tag}") == "rancher/server"
