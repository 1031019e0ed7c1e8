"""The migration of the database at a server's start, and the lock around it."""

import asyncio
import random
from typing import TYPE_CHECKING

from lab.rancher import timings

if TYPE_CHECKING:
    from lab.world import World

RELEASE = "CATTLE_DB_RELEASE_CHANGE_LOCK"


class StartupError(Exception):
    """A server cannot start; its process ends with code 1."""


class Migration:
    """State of one database's schema, and who is working on it.

    A server that dies in the middle leaves the lock behind, as the row in the database is.
    liquibase: DATABASECHANGELOGLOCK; rancher: issues 4634, 6057, 7125, 14149
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self.is_done = False
        self._tables_exist = False
        self._making_tables = False
        self._locked_by: str | None = None

    @property
    def is_locked(self) -> bool:
        """Say whether somebody works on the schema, or died at it."""
        return self._locked_by is not None

    async def run(self, server: str, *, release: bool) -> None:
        """Bring the schema up to date.

        Args:
            server: who does it.
            release: drop the lock first, whoever holds it.

        Raises:
            StartupError: another server was making the same tables, or the lock was not released
                in time.

        """
        if release:
            self._locked_by = None
        await self._make_lock_tables()
        await self._lock(server)
        first = not self.is_done
        await self._pause(timings.FIRST_MIGRATION if first else timings.LATER_MIGRATION)
        self.is_done = True
        self._locked_by = None

    async def _make_lock_tables(self) -> None:
        """Make the tables of the lock. Two servers that do it at once: the later one fails.

        rancher: issue 14149
        """
        if self._tables_exist:
            return
        if self._making_tables:
            raise StartupError("Table 'DATABASECHANGELOGLOCK' already exists")
        self._making_tables = True
        try:
            await self._pause(timings.LOCK_TABLES)
            self._tables_exist = True
        finally:
            self._making_tables = False

    async def _lock(self, server: str) -> None:
        waited = 0.0
        while self._locked_by is not None:
            if waited >= timings.LOCK_WAIT:
                message = "Could not acquire change log lock. Currently locked by "
                raise StartupError(message + self._locked_by)
            pause = random.uniform(0.5, 1.5)
            await self._pause(pause)
            waited += pause
        self._locked_by = server

    async def _pause(self, real_s: float) -> None:
        await asyncio.sleep(self._world.seconds(real_s))
