"""Whole Ranchers of one server each, new ones on demand, in a thread with a loop of its own."""

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from lab.rancher import RancherCluster, RancherServer
from lab.world import World, free_port

SCALE = 1000.0


@dataclass
class Rancher:
    """One Rancher, and what it heard."""

    world: World
    cluster: RancherCluster
    server: RancherServer
    url: str

    def writes(self) -> list[str]:
        """Return every call that was to change something, one entry each."""
        return [
            row["operation"]
            for row in self.world.journal.rows()
            for _ in range(row["count"])
            if not row["operation"].startswith("GET ")
        ]

    def logs_in(self, username: str, password: str) -> bool:
        code = f"{username}:{password}"
        return requests.post(f"{self.url}/v2-beta/token", json={"code": code}, timeout=5).ok


class Ranchers:
    """The loop that they all live on."""

    def __init__(self, root: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._root = root

    def open(self, advertise: str | None = None, **environment: str) -> Rancher:
        return self._run(self._open(advertise, environment))

    async def _open(self, advertise: str | None, environment: Mapping[str, str]) -> Rancher:
        world = World(SCALE, self._root, self._loop)
        port = free_port()
        cluster = RancherCluster(world, "database")
        server = RancherServer(
            cluster, ("127.0.0.1", port), advertise=advertise, environment=environment
        )
        await server.start()
        await asyncio.wait_for(server.is_up.wait(), 20)
        return Rancher(world, cluster, server, f"http://127.0.0.1:{port}")

    def call(self, function: Any, *arguments: Any, **options: Any) -> Any:
        """Return what a function of the double's own comes to, on the loop where it lives."""

        async def called() -> Any:
            return function(*arguments, **options)

        return self._run(called())

    def close(self, rancher: Rancher) -> None:
        self._run(rancher.server.stop())

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)
