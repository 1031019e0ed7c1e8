"""Rancher and AWS as the lab has them, with a herd and without a cluster that has to be built."""

import asyncio
import gc
import json
import os
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import boto3

from benchmarks.herd.measured import CLUSTER, Measured
from corral.clients.rancher import Patience, Site
from corral.clients.rancher.set_up import ensure_admin_key
from lab.aws import Aws, SeededInstance
from lab.rancher import RancherCluster, RancherServer
from lab.ready import Ready
from lab.world import World, free_port

T = TypeVar("T")

BOOT_SCALE: Final = 1000.0
START_S: Final = 60.0
SEED_S: Final = 600.0
NOBODY: Final = "http://127.0.0.1:9"
"""Where alerts would go; nothing that is measured here has a reason for one."""
HERD_TAGS: Final = {"Cluster": CLUSTER, "Pool": "web"}
STRANGER_TAGS: Final = {"Name": "somebody-else"}


@dataclass(frozen=True)
class Double:
    """One Rancher and one AWS in threads of this process, as fast as the real ones.

    What is measured runs in processes of its own, which `environment` points here.
    """

    world: World
    aws: Aws
    rancher: RancherCluster
    loop: asyncio.AbstractEventLoop

    @property
    def environment(self) -> dict[str, str]:
        """What processes need to find their way here."""
        ready = Ready(
            aws_endpoint=self.world.aws_endpoint,
            rancher_url=self.world.rancher_url,
            alerts_url=NOBODY,
            control_url=NOBODY,
            time_scale=self.world.scale,
            pid=os.getpid(),
        )
        return os.environ | ready.exports()

    def seed(self, hosts: int, phantoms: int, strangers: int = 0) -> None:
        """Make a herd, and instances of others in the same account."""
        made = self._call(self._seed_rancher(hosts, phantoms), SEED_S)
        self.aws.seed_herd(made, HERD_TAGS)
        others = [
            SeededInstance(f"i-{n:017x}", f"10.100.{n // 250}.{4 + n % 250}", alive=True)
            for n in range(strangers)
        ]
        self.aws.seed_herd(others, STRANGER_TAGS)
        # Millions of objects that stay: answers are not to wait for looks through all of them.
        gc.freeze()

    def measure(self, module: str, *arguments: str) -> Measured:
        """Have a module of this package do its work here, and count the calls that it makes."""
        self.world.journal.clear()
        measured = Measured.run(module, self.environment, *arguments)
        measured.calls = sum(row["count"] for row in self.world.journal.rows())
        return measured

    async def _seed_rancher(self, hosts: int, phantoms: int) -> list[SeededInstance]:
        made = self.rancher.seed_herd(hosts, phantoms)
        return [SeededInstance(one.instance_id, one.private_ip, not one.phantom) for one in made]

    def _call(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)


@contextmanager
def open_double(folder: Path) -> Iterator[Double]:
    """Run a Rancher that has its administrator's key, and an AWS, as long as the context lasts."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="double")
    thread.start()
    stack = AsyncExitStack()

    def run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(START_S)

    try:
        double = run(_start(stack, World(BOOT_SCALE, folder, loop)))
        _store_key(double)
        # So much for the start; from now on things take the time that they take in reality.
        double.world.scale = 1.0
        yield double
    finally:
        run(stack.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        gc.unfreeze()


async def _start(stack: AsyncExitStack, world: World) -> Double:
    aws = Aws(world)
    await aws.start()
    stack.push_async_callback(aws.stop)
    cluster = RancherCluster(world, "database")
    host, port = "127.0.0.1", free_port()
    server = RancherServer(cluster, (host, port))
    await server.start()
    stack.push_async_callback(server.stop)
    await asyncio.wait_for(server.is_up.wait(), START_S)
    world.rancher_url = f"http://{host}:{port}"
    return Double(world, aws, cluster, world.loop)


def _store_key(double: Double) -> None:
    """Have corral's own set-up make the administrator's key; store it where runs look for it."""
    notes = _Notes()
    site = Site(
        CLUSTER,
        notes,
        public_url=double.world.rancher_url,
        reached_at=double.world.rancher_url,
        patience=Patience(timedelta(seconds=START_S), timedelta(seconds=0.05)),
    )
    ensure_admin_key(site)
    vault = boto3.Session("lab", "lab", region_name="us-east-1").client(
        "secretsmanager", endpoint_url=double.world.aws_endpoint
    )
    for name, secret in notes.secrets.items():
        vault.create_secret(Name=name, SecretString=json.dumps(secret))


@dataclass
class _Notes:
    """Secrets in the memory of this process."""

    secrets: dict[str, dict[str, str]] = field(default_factory=dict)

    def read(self, name: str) -> dict[str, str] | None:
        """Return a secret; None if there is none."""
        return self.secrets.get(name)

    def version(self, name: str) -> str:
        """Return the secret's own name: none changes here."""
        return name

    def write(self, name: str, value: Mapping[str, str]) -> None:
        """Keep a secret."""
        self.secrets[name] = dict(value)
