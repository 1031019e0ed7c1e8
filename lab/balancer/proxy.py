"""Passes one request on to a target and its answer back, as an application load balancer does.

Source: Elastic Load Balancing user guide: "HTTP headers and Application Load Balancers" for what is
added, "Troubleshoot your Application Load Balancers" for which failure is a 502, 503 or 504.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from lab.aws import ListenerView

CONNECT_S = 10.0
_LARGEST = 65536
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_HANDSHAKE = "sec-websocket-"
_ENDING = (
    aiohttp.WSMsgType.CLOSE,
    aiohttp.WSMsgType.CLOSING,
    aiohttp.WSMsgType.CLOSED,
    aiohttp.WSMsgType.ERROR,
)


def own_answer(status: int) -> web.Response:
    """Return an answer that the load balancer gives by itself."""
    title = f"{status} {HTTPStatus(status).phrase}"
    lines = (
        "<html>",
        f"<head><title>{title}</title></head>",
        "<body>",
        f"<center><h1>{title}</h1></center>",
        "</body>",
        "</html>",
        "",
    )
    return web.Response(
        status=status,
        text="\r\n".join(lines),
        content_type="text/html",
        headers={"Server": "awselb/2.0"},
    )


def redirect(
    request: web.BaseRequest, listener: ListenerView, ports: Mapping[int, int]
) -> web.Response:
    """Answer a redirect action.

    The lab's listeners stand on ports of their own and speak no TLS, so a target port that a
    stand-in has is told as `http` and the stand-in's port, unless the caller came by name.
    """
    to = listener.redirect
    host = request.host.partition(":")[0] if to.get("Host", "#{host}") == "#{host}" else to["Host"]
    protocol = to.get("Protocol", "#{protocol}").replace("#{protocol}", listener.protocol).lower()
    port = to.get("Port", "#{port}").replace("#{port}", str(listener.port))
    if came_plain(request):
        protocol, port = "http", str(ports.get(int(port), int(port)))
    path = to.get("Path", "/#{path}").replace("/#{path}", request.rel_url.raw_path)
    query = to.get("Query", "#{query}").replace("#{query}", request.rel_url.raw_query_string)
    location = f"{protocol}://{host}:{port}{path}" + (f"?{query}" if query else "")
    status = int(to.get("StatusCode", "HTTP_302").removeprefix("HTTP_"))
    return web.Response(status=status, headers={"Location": location, "Server": "awselb/2.0"})


def came_plain(request: web.BaseRequest) -> bool:
    """Say whether a caller uses the stand-in's own address instead of the cluster's name.

    Machines of the lab speak TLS to the cluster's name; it ends before it comes here. Everybody
    else speaks plain HTTP to a port of loopback, and links they are given have to work there.
    """
    return request.host.partition(":")[0] in ("127.0.0.1", "localhost")


def headers_for(request: web.BaseRequest, listener: ListenerView) -> CIMultiDict[str]:
    """Return the caller's headers with what the load balancer adds."""
    named = request.headers.get("Connection", "").lower().split(",")
    dropped = _HOP_BY_HOP | {name.strip() for name in named}
    headers = CIMultiDict(
        (key, value)
        for key, value in request.headers.items()
        if key.lower() not in dropped and not key.lower().startswith(_HANDSHAKE)
    )
    plain = came_plain(request)
    before = request.headers.get("X-Forwarded-For")
    headers["X-Forwarded-For"] = f"{before}, {request.remote}" if before else str(request.remote)
    headers["X-Forwarded-Proto"] = "http" if plain else listener.protocol.lower()
    headers["X-Forwarded-Port"] = str(_own_port(request) if plain else listener.port)
    headers["X-Amzn-Trace-Id"] = f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return headers


def _own_port(request: web.BaseRequest) -> int:
    address = request.transport.get_extra_info("sockname") if request.transport else ("", 0)
    return int(address[1])


class Proxy:
    """Talks to targets."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def forward(
        self,
        request: web.BaseRequest,
        listener: ListenerView,
        place: tuple[str, int],
        idle_s: float,
    ) -> web.StreamResponse:
        """Pass a request on to the target at a place and return its answer."""
        url = URL(f"http://{place[0]}:{place[1]}{request.raw_path}", encoded=True)
        headers = headers_for(request, listener)
        try:
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._forward_socket(request, url, headers, idle_s)
            return await self._forward_plain(request, url, headers, idle_s)
        except TimeoutError:
            return own_answer(HTTPStatus.GATEWAY_TIMEOUT)
        except (aiohttp.ClientError, OSError):
            return own_answer(HTTPStatus.BAD_GATEWAY)

    async def _forward_plain(
        self, request: web.BaseRequest, url: URL, headers: CIMultiDict[str], idle_s: float
    ) -> web.StreamResponse:
        async with self._session.request(
            request.method,
            url,
            headers=headers,
            data=request.content if request.can_read_body else None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=idle_s),
        ) as answer:
            response = web.StreamResponse(
                status=answer.status,
                reason=answer.reason,
                headers=CIMultiDict(
                    (key, value)
                    for key, value in answer.headers.items()
                    if key.lower() not in _HOP_BY_HOP
                ),
            )
            await response.prepare(request)
            await _pour(answer, response, request)
            return response

    async def _forward_socket(
        self, request: web.BaseRequest, url: URL, headers: CIMultiDict[str], idle_s: float
    ) -> web.StreamResponse:
        wanted = request.headers.get("Sec-WebSocket-Protocol", "")
        protocols = tuple(name.strip() for name in wanted.split(",") if name.strip())
        try:
            target = await self._session.ws_connect(
                url,
                headers=headers,
                protocols=protocols,
                autoping=False,
                autoclose=False,
                max_msg_size=0,
            )
        except aiohttp.WSServerHandshakeError as refusal:
            return web.Response(status=refusal.status)
        async with target:
            chosen = (target.protocol,) if target.protocol else ()
            caller = web.WebSocketResponse(
                protocols=chosen, autoping=False, autoclose=False, compress=False, max_msg_size=0
            )
            await caller.prepare(request)
            await _both_ways(caller, target, idle_s)
            return caller


async def _pour(
    answer: aiohttp.ClientResponse, response: web.StreamResponse, request: web.BaseRequest
) -> None:
    """Copy a body; one that breaks off on the way breaks off for the caller, too."""
    try:
        async for chunk in answer.content.iter_chunked(_LARGEST):
            await response.write(chunk)
        await response.write_eof()
    except (aiohttp.ClientError, OSError):
        if request.transport is not None:
            request.transport.abort()


Socket = aiohttp.ClientWebSocketResponse | web.WebSocketResponse


async def _both_ways(caller: Socket, target: Socket, idle_s: float) -> None:
    """Pass messages both ways until one side ends or both are silent for too long."""
    pumps = {
        asyncio.create_task(_pump(caller, target, idle_s)),
        asyncio.create_task(_pump(target, caller, idle_s)),
    }
    _, open_pumps = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    for pump in open_pumps:
        pump.cancel()
    await asyncio.gather(*pumps, return_exceptions=True)
    await caller.close()
    await target.close()


async def _pump(source: Socket, sink: Socket, idle_s: float) -> None:
    """Pass one direction's messages on, pings and pongs as they are, until it ends."""
    kind = aiohttp.WSMsgType
    while True:
        try:
            message = await source.receive(timeout=idle_s)
        except TimeoutError:
            return
        if message.type in _ENDING:
            code = message.data if message.type == kind.CLOSE else aiohttp.WSCloseCode.GOING_AWAY
            await sink.close(code=code or aiohttp.WSCloseCode.OK)
            return
        if message.type == kind.TEXT:
            await sink.send_str(message.data)
        elif message.type == kind.BINARY:
            await sink.send_bytes(message.data)
        elif message.type == kind.PING:
            await sink.ping(message.data)
        elif message.type == kind.PONG:
            await sink.pong(message.data)
