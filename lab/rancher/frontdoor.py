"""A server's front door: HTTP as it is, before and around the API."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from lab.effects import play
from lab.faults import RESET_STATUS
from lab.rancher.api import Answer, Api, Request
from lab.rancher.call import Call
from lab.rancher.callers import Caller
from lab.rancher.catalog.proxy import catalog_id, is_catalog, pass_on
from lab.rancher.paths import Target, operation, read_path
from lab.rancher.problems import ApiError, not_found
from lab.rancher.registration import script
from lab.rancher.registration_tokens import account_of_token
from lab.rancher.roots import list_versions
from lab.rancher.rows import Agent, new_uuid
from lab.rancher.schema import SPELLINGS
from lab.rancher.schema.shape import AGENT
from lab.rancher.schema.system import SUBSCRIBE
from lab.rancher.settings import Settings
from lab.rancher.subscribe import AgentSocket, Subscription, agent_of
from lab.rancher.urls import Urls, base_url

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

OPERATION = web.RequestKey("operation", str)
AUTH_SERVICE = "/v1-auth"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FrontDoor:
    """Takes the requests of one server to who answers them."""

    def __init__(self, cluster: "RancherCluster", settings: Settings, version: str) -> None:
        self._cluster = cluster
        self._settings = settings
        self._version = version
        self._api = Api(cluster, settings, version)

    def application(self) -> web.Application:
        """Return the server as a web application."""
        app = web.Application(middlewares=[self._observe])
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    @web.middleware
    async def _observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let faults have their say and note the call in the journal."""
        name = operation(request.method, request.path, request.query.get("action"))
        request[OPERATION] = name
        world = self._cluster.world
        effect = world.faults.take("rancher", name, _attributes(request))
        response = await play(effect, request, lambda: handler(request), _error_response)
        if not isinstance(response, web.WebSocketResponse):
            status = RESET_STATUS if effect and effect.reset else response.status
            world.journal.record("rancher", name, status)
        return response

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if is_catalog(request.path):
            return self._catalog(request)
        if request.path.startswith(AUTH_SERVICE):
            return await self._ask_auth_service(request)
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
        return _send(self._api.answer(question))

    async def _ask_auth_service(self, request: web.Request) -> web.Response:
        text = await request.text()
        question = Request(request.method, Target("v1"), request.headers, request.query, text)
        return _send(self._api.delegate(question, request.path.removeprefix(AUTH_SERVICE)))

    def _outside(self, request: web.Request) -> web.Response:
        if request.path == "/ping":
            return _pong()
        if request.path == "/healthcheck":
            # Dropwizard answers 501 when no check is registered, and Rancher registers none.
            return web.json_response({}, status=501)
        headers = {"X-Rancher-Version": self._version}
        if request.path == "/" and request.method == "GET":
            return self._root(request, headers)
        return _error_response(404, headers)

    def _catalog(self, request: web.Request) -> web.Response:
        """Answer from the catalog, to all but strangers."""
        question = Request(request.method, Target("v1"), request.headers, request.query)
        try:
            caller = self._api.admit(question)
        except ApiError as error:
            refusal = self._api.refusal(question, error, {})
            return web.json_response(
                refusal.document, status=refusal.status, headers=dict(refusal.headers)
            )
        return pass_on(request, caller, loaded=self._cluster.catalog_loaded)

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
        headers = {"X-Rancher-Version": self._version}
        if account_of_token(self._cluster.store, token) is None:
            return _error_response(404, headers)
        forwarded = request.headers.get("X-Forwarded-For", "").partition(",")[0].strip()
        urls = Urls(request.headers, target.version, None)
        text = script(self._settings, urls, token, forwarded or request.remote or "")
        return web.Response(text=text, headers=headers)

    async def _subscribe(self, request: web.Request, question: Request) -> web.StreamResponse:
        """Open a WebSocket; what asks for none is refused.

        cattle: WebSocketSubscriptionHandler.java
        """
        headers = {"X-Rancher-Version": self._version}
        try:
            caller, agent = self._subscriber(question, upgrade=_wants_socket(request))
        except ApiError as error:
            return _send(self._api.refusal(question, error, headers))
        socket = web.WebSocketResponse()
        socket.headers.update(headers)
        await socket.prepare(request)
        # A socket lasts: it is noted when it opens, not when it ends.
        self._cluster.world.journal.record("rancher", request[OPERATION], socket.status)
        if agent is not None:
            await AgentSocket(self._cluster, agent).serve(socket, self._cluster.agents)
        else:
            await Subscription(self._as_call(question, caller)).serve(socket)
        return socket

    def _subscriber(self, question: Request, *, upgrade: bool) -> tuple[Caller, Agent | None]:
        caller = self._api.admit(question)
        if not upgrade:
            raise ApiError(400)
        if caller.role != AGENT:
            return caller, None
        agent = agent_of(self._cluster, caller)
        if agent is None:
            raise not_found()
        return caller, agent

    def _as_call(self, question: Request, caller: Caller) -> Call:
        urls = Urls(question.headers, question.target.version, question.target.project)
        return Call(
            cluster=self._cluster,
            settings=self._settings,
            caller=caller,
            version=question.target.version,
            urls=urls,
            parameters=question.parameters,
        )


def _attributes(request: web.Request) -> dict[str, str | None]:
    """Return what faults may be about, besides the operation."""
    target = read_path(request.path)
    return {
        "method": request.method,
        "path": request.path,
        "project": target.project if target else None,
        "kind": target.kind if target else None,
        "id": target.id if target else catalog_id(request.path),
    }


def _send(answer: Answer) -> web.Response:
    headers = dict(answer.headers)
    if answer.document is None:
        return web.Response(status=answer.status, headers=headers)
    return web.json_response(answer.document, status=answer.status, headers=headers)


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
