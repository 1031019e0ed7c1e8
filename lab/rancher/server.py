"""One Rancher server: starts slowly, listens when it is ready, ends when it loses its place."""

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from aiohttp import web

from lab.faults import RESET_STATUS
from lab.rancher import timings
from lab.rancher.api import Api, Request, list_versions
from lab.rancher.call import Call
from lab.rancher.callers import Caller
from lab.rancher.membership import CheckInError, Member
from lab.rancher.migration import RELEASE, StartupError
from lab.rancher.paths import Target, operation, read_path
from lab.rancher.problems import ApiError, not_found
from lab.rancher.registration import script
from lab.rancher.registration_tokens import account_of_token
from lab.rancher.rows import Agent, new_uuid
from lab.rancher.schema import SPELLINGS
from lab.rancher.schema.shape import AGENT
from lab.rancher.schema.system import SUBSCRIBE
from lab.rancher.settings import Settings
from lab.rancher.subscribe import AgentSocket, Subscription, agent_of
from lab.rancher.urls import Urls, base_url
from lab.world import apply_effect

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

FATAL: Final = 1
STOPPED: Final = 0
OPERATION = web.RequestKey("operation", str)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

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
        self.version = version
        self.environment = dict(environment or {})
        self.settings = Settings(cluster.store.settings, self.environment, version)
        self.is_up = asyncio.Event()
        self._advertise = advertise
        self._say = say
        self._member = Member(cluster, advertise, http_port)
        self._api = Api(cluster, self.settings, version)
        self._exit: asyncio.Future[int] = cluster.world.loop.create_future()
        self._life: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None

    # Life

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
        release = self.environment.get(RELEASE, "").lower() == "true"
        await self.cluster.migration.run(self._member.uuid, release=release)
        self._say("DB migration done")
        self.cluster.migrated()
        await self._take_place()
        await self._open()

    def _print_environment(self) -> None:
        """Print the variables, but for those with PASS in them.

        rancher: server/artifacts/cattle.sh
        """
        for name, value in sorted(self.environment.items()):
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
        app = web.Application(middlewares=[self._observe])
        app.router.add_route("*", "/{path:.*}", self._handle)
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

    # Requests

    @web.middleware
    async def _observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let faults have their say and note the call in the journal."""
        name = operation(request.method, request.path, request.query.get("action"))
        world = self.cluster.world
        attributes = {"method": request.method, "path": request.path}
        effect = world.faults.take("rancher", name, attributes)
        response: web.StreamResponse | None = None
        if effect is not None:
            response = await apply_effect(effect, request, _error_response)
            if effect.reset:
                world.journal.record("rancher", name, RESET_STATUS)
                return response or web.Response(status=500)
        if response is None:
            request[OPERATION] = name
            response = await handler(request)
        if not isinstance(response, web.WebSocketResponse):
            world.journal.record("rancher", name, response.status)
        return response

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/ping":
            return _pong()
        target = read_path(request.path)
        if target is None:
            return self._outside(request)
        if target.kind == "scripts" and target.id is not None:
            return self._script(request, target, target.id)
        text = await request.text()
        question = Request(
            method=request.method,
            target=target,
            headers=request.headers,
            parameters=request.query,
            text=text,
            content_type=request.content_type,
        )
        if SPELLINGS.get((target.kind or "").lower()) is SUBSCRIBE:
            return await self._subscribe(request, question)
        answer = self._api.answer(question)
        return web.json_response(
            answer.document, status=answer.status, headers=dict(answer.headers)
        )

    def _outside(self, request: web.Request) -> web.Response:
        headers = {"X-Rancher-Version": self.version}
        if request.path == "/" and request.method == "GET":
            return self._root(request, headers)
        return _error_response(404, headers)

    def _root(self, request: web.Request, headers: dict[str, str]) -> web.Response:
        """Answer the root: 401 to strangers when access control is on.

        rancher: issue 7454 (health checks on / fail)
        """
        try:
            question = Request("GET", Target("v2-beta"), request.headers, request.query)
            self._api.admit(question)
        except ApiError as error:
            return _error_response(error.status, headers)
        return web.json_response(list_versions(base_url(request.headers)), headers=headers)

    def _script(self, request: web.Request, target: Target, token: str) -> web.Response:
        """Answer the script of a registration token, to whoever has it.

        cattle: RegisterScriptHandler.java
        """
        headers = {"X-Rancher-Version": self.version}
        if account_of_token(self.cluster.store, token) is None:
            return _error_response(404, headers)
        forwarded = request.headers.get("X-Forwarded-For", "").partition(",")[0].strip()
        urls = Urls(request.headers, target.version, None)
        text = script(self.settings, urls, token, forwarded or request.remote or "")
        return web.Response(text=text, headers=headers)

    async def _subscribe(self, request: web.Request, question: Request) -> web.StreamResponse:
        """Open a WebSocket; what asks for none is refused.

        cattle: WebSocketSubscriptionHandler.java
        """
        headers = {"X-Rancher-Version": self.version}
        try:
            caller, agent = self._subscriber(question, upgrade=_wants_socket(request))
        except ApiError as error:
            refusal = self._api.refusal(question, error, headers)
            return web.json_response(
                refusal.document, status=refusal.status, headers=dict(refusal.headers)
            )
        socket = web.WebSocketResponse()
        socket.headers.update(headers)
        await socket.prepare(request)
        # A socket lasts: it is noted when it opens, not when it ends.
        self.cluster.world.journal.record("rancher", request[OPERATION], socket.status)
        if agent is not None:
            await AgentSocket(self.cluster, agent).serve(socket, self.cluster.agents)
        else:
            await Subscription(self._as_call(question, caller)).serve(socket)
        return socket

    def _subscriber(self, question: Request, *, upgrade: bool) -> tuple[Caller, Agent | None]:
        caller = self._api.admit(question)
        if not upgrade:
            raise ApiError(400)
        if caller.role != AGENT:
            return caller, None
        agent = agent_of(self.cluster, caller)
        if agent is None:
            raise not_found()
        return caller, agent

    def _as_call(self, question: Request, caller: Caller) -> Call:
        urls = Urls(question.headers, question.target.version, question.target.project)
        return Call(
            cluster=self.cluster,
            settings=self.settings,
            caller=caller,
            version=question.target.version,
            urls=urls,
            parameters=question.parameters,
        )


def _pong() -> web.Response:
    """Answer the ping: the web layer is up, which says nothing of the rest.

    cattle: web.xml (Dropwizard's PingServlet)
    """
    headers = {"Cache-Control": "must-revalidate,no-cache,no-store"}
    return web.Response(text="pong\n", content_type="text/plain", headers=headers)


def _error_response(status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    document = ApiError(status).document(new_uuid())
    return web.json_response(document, status=status, headers=headers)


def _wants_socket(request: web.Request) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"
