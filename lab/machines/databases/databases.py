"""All databases of the lab's RDS: where each listens, and what is in it."""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from lab.aws.views import DatabaseView
from lab.machines.databases.copies import Copies
from lab.machines.databases.listener import Listener
from lab.machines.outside import Aws, Place
from lab.machines.tls import Authority
from lab.rancher import RancherCluster
from lab.world import World

NOBODY: Place = ("127.0.0.1", 1)
"""A port that no program has: connections are refused, as by a database that is still made."""
TICK_S = 0.2

log = logging.getLogger(__name__)


class Databases:
    """Watches RDS, and keeps a listener and Rancher's data for each instance.

    Args:
        world: the lab's clock and folder.
        aws: tells which instances there are.
        authority: signs their certificates.

    """

    def __init__(self, world: World, aws: Aws, authority: Authority) -> None:
        self._world = world
        self._aws = aws
        self._authority = authority
        self._listeners: dict[str, Listener] = {}
        self._data: dict[str, RancherCluster] = {}
        self._seen: set[str] = set()
        self._copies = Copies()
        self._keeper: asyncio.Task[None] | None = None
        self._told = ""

    def start(self) -> None:
        """Begin to watch."""
        self._keeper = asyncio.create_task(self._keep(), name="databases")

    async def stop(self) -> None:
        """Stop watching and listening."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()

    async def place_of(self, endpoint: str) -> Place | None:
        """Return where the database of this address listens, or None if there is none."""
        database = self._aws.database_by_endpoint(endpoint)
        if database is None:
            return None
        if not database.answers:
            return NOBODY
        return (await self._listener_of(database)).place

    def clusters(self) -> Mapping[str, RancherCluster]:
        """Return what is in the databases that Rancher came to, by the instances' names."""
        known = {one.resource_id: one.identifier for one in self._aws.databases()}
        return {known[key]: data for key, data in self._data.items() if key in known}

    def cluster_of(self, database: DatabaseView) -> RancherCluster:
        """Return what is in a database: nothing, for who comes first to a new one."""
        self._fill(database)
        if database.resource_id not in self._data:
            self._data[database.resource_id] = RancherCluster(self._world, database.identifier)
        return self._data[database.resource_id]

    async def _listener_of(self, database: DatabaseView) -> Listener:
        key = database.resource_id
        if key not in self._listeners:
            listener = Listener(
                partial(self._look, key),
                partial(self._data.get, key),
                self._authority.context_for(database.address),
            )
            self._listeners[key] = listener
            await listener.listen()
        return self._listeners[key]

    def _look(self, resource_id: str) -> DatabaseView:
        known = (one for one in self._aws.databases() if one.resource_id == resource_id)
        return next(known, DatabaseView.gone())

    async def _keep(self) -> None:
        while True:
            try:
                await self._tick()
            except Exception:  # one odd instance must not end all keeping
                log.exception("the databases cannot be kept at the moment")
            await asyncio.sleep(TICK_S)

    async def _tick(self) -> None:
        databases = self._aws.databases()
        self._copy()
        for database in databases:
            self._fill(database)
        answering = [one for one in databases if one.answers]
        for database in answering:
            await self._listener_of(database)
        silent = set(self._listeners) - {one.resource_id for one in answering}
        for key in silent:
            self._listeners[key].hang_up()
        self._tell(answering)

    def _copy(self) -> None:
        """Copy the databases that snapshots are taken of, and all for the moments to go back to."""
        snapshots = self._aws.snapshots()
        for one in snapshots:
            self._copies.keep_snapshot(one.key, self._data.get(one.resource_id))
        self._copies.forget_but([one.key for one in snapshots])
        for resource_id, cluster in self._data.items():
            self._copies.keep_moment(resource_id, cluster)

    def _fill(self, database: DatabaseView) -> None:
        """Put into a new instance what it was restored from."""
        if database.resource_id in self._seen:
            return
        self._seen.add(database.resource_id)
        origin = database.origin
        if origin is None:
            return
        copy = self._copies.of_snapshot(origin.snapshot)
        if origin.moment is not None:
            copy = self._copies.at(origin.resource_id, origin.moment)
        if copy:
            cluster = RancherCluster(self._world, database.identifier, copy)
            self._data[database.resource_id] = cluster

    def _tell(self, answering: list[DatabaseView]) -> None:
        """Write who answers where, for those outside of the machines' network."""
        names = {}
        for database in answering:
            host, port = self._listeners[database.resource_id].place
            for name in (database.address, *self._aws.names_of(database.address)):
                names[name] = f"{host}:{port}"
        text = json.dumps(names, indent=2)
        if text == self._told:
            return
        write_whole(self._world.database_names, text)
        self._told = text


def write_whole(path: Path, text: str) -> None:
    """Write a file so that nobody ever reads a part of it."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)
