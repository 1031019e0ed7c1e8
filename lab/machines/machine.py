"""One machine: an EC2 instance's body, from power-on to power-off."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp import web

from lab.aws.views import InstanceView
from lab.machines.cloud_init import CloudInit
from lab.machines.docker.daemon import Daemon
from lab.machines.metadata import MetadataService
from lab.machines.outside import ImagesFor, MachineFacts, Surroundings
from lab.machines.systemd import Systemd
from lab.world import World

BOOT_S = 25.0
"""From power-on to cloud-init. Invented, but of the size of a small Debian on EC2."""
METADATA_PORT = 16925
DOCKER_PORT = 2375


class Machine:
    """A machine with its disk; it may be switched on and off several times.

    Its folder has `root`, the disk, and beside it `console.log` and the output of each unit.
    Docker's containers and what systemd has enabled survive being switched off, as on a disk.
    """

    def __init__(
        self,
        world: World,
        look: Callable[[], InstanceView],
        surroundings: Surroundings,
        images_for: ImagesFor,
    ) -> None:
        instance = look()
        self._world = world
        self._instance = instance
        self._surroundings = surroundings
        self._folder = world.root / "machines" / instance.id
        self._root = self._folder / "root"
        self._root.mkdir(parents=True, exist_ok=True)
        facts = MachineFacts(instance.id, instance.private_ip, instance.private_dns, self._root)
        self.docker = Daemon(world.seconds)
        self.docker.offer(images_for(facts, self.docker))
        self.systemd = Systemd(
            self._root, self._environment(), self._folder, world.scale, self._say
        )
        self._metadata = MetadataService(look, surroundings.account_id)
        self._runners: list[web.AppRunner] = []
        self._has_booted_before = False

    async def power_on(self) -> None:
        """Boot: firmware and kernel first, then Docker, cloud-init or the enabled units."""
        self._say("power on")
        await asyncio.sleep(self._world.seconds(BOOT_S))
        await self._listen(METADATA_PORT, self._metadata.application())
        await self._listen(DOCKER_PORT, self.docker.application())
        self.docker.boot()
        if self._has_booted_before:
            self.systemd.boot()
            return
        self._has_booted_before = True
        self._surroundings.image.install(self._root, self._surroundings.authority)
        CloudInit(self._root, self.systemd, self._say).obey(self._instance.user_data)

    async def shut_down(self) -> None:
        """Stop everything in the order of a shutdown: services, containers, network."""
        self._say("shutting down")
        await self.systemd.stop()
        await self.docker.stop()
        await self._stop_listening()
        self._say("power off")

    async def lose_power(self) -> None:
        """Stop everything at once: no process and no container gets to say a word."""
        await asyncio.gather(self.systemd.kill(), self.docker.kill())
        await self._stop_listening()
        self._say("lost power")

    def _environment(self) -> dict[str, str]:
        """Return what each of the machine's processes has; nothing of the lab's own passes on."""
        metadata, docker = self._place(METADATA_PORT), self._place(DOCKER_PORT)
        return {
            "PATH": f"{self._root}/usr/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": f"{self._root}/root",
            "LANG": "C.UTF-8",
            "PYTHONPATH": self._surroundings.image.module_path,
            "CORRAL_NODE_CONFIG": f"{self._root}/etc/corral/node.json",
            "AWS_ENDPOINT_URL": self._world.aws_endpoint,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{metadata[0]}:{metadata[1]}",
            "DOCKER_HOST": f"tcp://{docker[0]}:{docker[1]}",
            "CORRAL_PAGERDUTY_URL": self._world.alerts_url,
            "REQUESTS_CA_BUNDLE": str(self._surroundings.authority),
            "LAB_RESOLVER": self._surroundings.resolver,
            "LAB_TIME_SCALE": str(self._world.scale),
        }

    def _place(self, port: int) -> tuple[str, int]:
        return self._world.addresses.of(self._instance.private_ip, port)

    async def _listen(self, port: int, application: web.Application) -> None:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, *self._place(port)).start()

    async def _stop_listening(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    def _say(self, text: str) -> None:
        now = datetime.now(UTC).strftime("%H:%M:%S.%f")[:-4]
        with (self._folder / "console.log").open("a", encoding="utf-8") as console:
            console.write(f"{now} {text}\n")
