"""One Rancher server: starts slowly, listens when it is ready, ends when it loses its place."""

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from aiohttp import web

from lab.rancher import timings
from lab.rancher.frontdoor import FrontDoor
from lab.rancher.membership import CheckInError, Member
from lab.rancher.migration import RELEASE, StartupError
from lab.rancher.settings import Settings

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

FATAL: Final = 1
STOPPED: Final = 0

log = logging.getLogger(__name__)


class RancherServer:
    """One container of the image rancher/server.

    While it starts nobody listens on its port: connections are refused.

    Args:
        cluster: what is in its database.
        listen: host and port on loopback.
        advertise: private address that other servers reach it by; None: it is alone.
        http_port: port that it says it has for people.
        version: tag of the image.
        environment: the container's variables.
        say: takes the lines of its log.

    """

    def __init__(
        self,
        cluster: "RancherCluster",
        listen: tuple[str, int],
        advertise: str | None = None,
        http_port: int = 8080,
        version: str = "v1.6.30",
        environment: Mapping[str, str] | None = None,
        say: Callable[[str], None] = log.info,
    ) -> None:
        self.cluster = cluster
        self.listen = listen
        self._version = version
        self._environment = dict(environment or {})
        self.settings = Settings(cluster.store.settings, self._environment, version)
        self.is_up = asyncio.Event()
        self._advertise = advertise
        self._say = say
        self._member = Member(cluster, advertise, http_port)
        self._exit: asyncio.Future[int] = cluster.world.loop.create_future()
        self._life: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Begin to start. `is_up` is set when the server answers."""
        self._life = asyncio.create_task(self._live())

    async def wait_exit(self) -> int:
        """Return the exit code of the server's process, when it ends."""
        return await asyncio.shield(self._exit)

    async def stop(self) -> None:
        """End the server, however far it came. Its membership stays, and grows stale."""
        if self._life is not None:
            self._life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._life

    async def _live(self) -> None:
        code = STOPPED
        try:
            await self._boot()
            await self._keep_checking_in()
        except StartupError as error:
            self._say(f"STARTUP FAILED: {error}")
            code = FATAL
        except CheckInError as error:
            self._say(f"FATAL: Exiting due to failed cluster check-in: {error}")
            code = FATAL
        finally:
            await self._close()
            if not self._exit.done():
                self._exit.set_result(code)

    async def _boot(self) -> None:
        self._print_environment()
        self._check_advertised()
        await self._pause(timings.JVM_START)
        self._say("Starting DB migration")
        release = self._environment.get(RELEASE, "").lower() == "true"
        await self.cluster.migration.run(self._member.uuid, self._version, release=release)
        self._say("DB migration done")
        self.cluster.migrated()
        await self._take_place()
        await self._open()

    def _print_environment(self) -> None:
        """Print the variables, but for those with PASS in them.

        rancher: server/artifacts/cattle.sh
        """
        for name, value in sorted(self._environment.items()):
            if name.startswith(("CATTLE_", "DEFAULT_CATTLE_")) and "PASS" not in name:
                self._say(f"{name}={value}")

    def _check_advertised(self) -> None:
        if self._advertise is None:
            return
        try:
            ipaddress.IPv4Address(self._advertise)
        except ValueError as error:
            raise StartupError(f"cannot advertise {self._advertise!r}") from error

    async def _take_place(self) -> None:
        """Check in and wait until the cluster lets this server in.

        cattle: DBDiscovery.waitReady
        """
        try:
            await self._member.open()
        except OSError as error:
            raise StartupError(f"cannot listen for the other servers: {error}") from error
        while True:
            self._member.check_in()
            if await self._member.is_ready():
                return
            self._say("Waiting for the master")
            await self._pause(timings.CHECKIN)

    async def _open(self) -> None:
        app = FrontDoor(self.cluster, self.settings, self._version).application()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, *self.listen).start()
        except OSError as error:
            raise StartupError(f"cannot listen on {self.listen}: {error}") from error
        self.cluster.server_up(self)
        self._say(f"Startup Succeeded, Listening on port {self.listen[1]}")
        self.is_up.set()

    async def _keep_checking_in(self) -> None:
        while True:
            await self._pause(timings.CHECKIN)
            self._member.check_in()

    async def _close(self) -> None:
        self.is_up.clear()
        self.cluster.server_down(self)
        await self._member.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _pause(self, real_s: float) -> None:
        await asyncio.sleep(self.cluster.world.seconds(real_s))
