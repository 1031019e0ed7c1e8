"""Looking into a database over MySQL's own protocol."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from machines_surroundings import ENDPOINT, FakeAws, FakeBalancers, make_world

from corral.clients.database import Login, look_at_database
from corral.domain.restores import TABLES, DatabaseFacts, find_lacks
from corral.errors import DatabaseRefusedError, PrerequisiteError
from lab.machines import Names

PASSWORD = "pa55-database"


class Place:
    """One database of the lab, and somebody who looks into it."""

    def __init__(self, root: Path) -> None:
        self.aws = FakeAws()
        self.world = make_world(root)
        self.names = Names(self.world, self.aws, FakeBalancers(), root / "names")

    async def fill(self) -> Any:
        """Let a server make its tables."""
        cluster = self.names.databases.cluster_of(self.aws.databases()[0])
        await cluster.migration.run("server", "v1.6.30", release=False)
        cluster.migrated()
        return cluster

    async def look(self, password: str = PASSWORD, address: str = ENDPOINT) -> DatabaseFacts:
        place = await self.names.databases.place_of(ENDPOINT)
        assert place is not None
        login = Login(address, 1, "cattle", password, "cattle")
        return await asyncio.to_thread(
            look_at_database, login, ca=self.world.authority, places={ENDPOINT: place}
        )


def play(root: Path, scenario: Callable[[Place], Any]) -> None:
    async def run() -> None:
        place = Place(root)
        await place.names.listen()
        try:
            await scenario(place)
        finally:
            await place.names.close()

    asyncio.run(run())


def test_a_database_of_rancher_lacks_nothing(tmp_path):
    async def scenario(place: Place) -> None:
        await place.fill()
        facts = await place.look()

        assert facts.version == "5.7.44-log"
        assert facts.tables >= TABLES
        assert facts.accounts > 0
        assert find_lacks(facts) == []

    play(tmp_path, scenario)


def test_a_database_in_which_no_server_was_is_empty(tmp_path):
    async def scenario(place: Place) -> None:
        facts = await place.look()

        assert facts.tables == frozenset()
        assert len(find_lacks(facts)) == 1

    play(tmp_path, scenario)


def test_another_password_may_count_later(tmp_path):
    async def scenario(place: Place) -> None:
        with pytest.raises(DatabaseRefusedError) as caught:
            await place.look("another")

        assert caught.value.temporary
        assert "another" not in str(caught.value).split()

    play(tmp_path, scenario)


def test_a_database_that_cannot_be_reached_says_how_it_can(tmp_path):
    async def scenario(place: Place) -> None:
        with pytest.raises(PrerequisiteError, match="open_to_admins"):
            await place.look(address="127.0.0.1")

    play(tmp_path, scenario)


def test_no_password_is_in_what_describes_a_login():
    assert PASSWORD not in repr(Login(ENDPOINT, 3306, "cattle", PASSWORD, "cattle"))
