"""The migration of the database at a server's start, and the lock around it."""

import asyncio
import random
import re
from typing import TYPE_CHECKING, Final

from lab.rancher import timings

if TYPE_CHECKING:
    from lab.rancher.store import Schema
    from lab.world import World

RELEASE = "CATTLE_DB_RELEASE_CHANGE_LOCK"

CHANGELOGS: Final = {(6, 0): 121, (6, 10): 122, (6, 14): 123, (6, 15): 124}
"""The last changelog that a release brings, by those of which it is known; later ones add none.

cattle: resources/content/db at v0.179.7, v0.183.22, v0.183.37 and v0.183.83, which are in v1.6.0,
v1.6.10, v1.6.14 and v1.6.30; rancher: issue 12606 (core-124 comes with v1.6.15)
"""
OLDER: Final = 120
"""What stands for all changelogs before v1.6.0."""


class StartupError(Exception):
    """A server cannot start; its process ends with code 1."""


class Migration:
    """State of one database's schema, and who is working on it.

    A server that dies in the middle leaves the lock behind, as the row in the database is; what it
    had changed in a database that was in use is there and not written down, so that no server which
    knows of the change starts any more. An older one does: it never heard of it.
    liquibase: DATABASECHANGELOGLOCK; rancher: issues 4634, 6057, 7125, 12606, 14149
    """

    def __init__(self, world: "World", schema: "Schema") -> None:
        self._world = world
        self._schema = schema
        self._tables_exist = schema.level > 0
        self._making_tables = False
        self._locked_by: str | None = None

    @property
    def is_done(self) -> bool:
        """Say whether the database has a schema."""
        return self._schema.level > 0

    @property
    def is_locked(self) -> bool:
        """Say whether somebody works on the schema, or died at it."""
        return self._locked_by is not None

    async def run(self, server: str, version: str, *, release: bool) -> None:
        """Bring the schema up to date; one that is newer already is left as it is.

        cattle: Loader.java (SpringLiquibase, whose update passes over changes it does not know)

        Args:
            server: who does it.
            version: its release.
            release: drop the lock first, whoever holds it.

        Raises:
            StartupError: another server was making the same tables, the lock was not released in
                time, or an earlier one died while it changed what this one changes too.

        """
        if release:
            self._locked_by = None
        await self._make_lock_tables()
        await self._lock(server)
        await self._change(changelog_of(version))
        self._locked_by = None

    async def _change(self, wanted: int) -> None:
        schema = self._schema
        if schema.torn and wanted >= schema.torn:
            self._locked_by = None
            raise StartupError(
                f"Change Set db/core-{schema.torn}.xml::dump1 failed: Duplicate key name"
            )
        if not schema.level:
            await self._pause(timings.FIRST_MIGRATION)
        elif wanted > schema.level:
            schema.torn = wanted
            await self._pause(timings.SCHEMA_CHANGE)
            schema.torn = 0
        else:
            await self._pause(timings.LATER_MIGRATION)
        schema.level = max(schema.level, wanted)

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


def changelog_of(version: str) -> int:
    """Return the number of the last changelog that a release of Rancher 1 has in it."""
    found = re.fullmatch(r"v1\.(\d+)\.(\d+)", version)
    release = (int(found[1]), int(found[2])) if found else max(CHANGELOGS)
    return max((level for since, level in CHANGELOGS.items() if since <= release), default=OLDER)
