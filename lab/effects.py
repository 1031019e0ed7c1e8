"""Plays the effect of a fault on an HTTP call: the part that knows of sockets and pieces."""

import asyncio
import math
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator

from aiohttp import web

from lab.faults import Effect

_PIECES = 20
"""In how many pieces a slow body arrives: often enough that no single read waits for long."""


def arm_reset(connection: socket.socket) -> None:
    """Make the next close of this connection a reset (RST), as a crashed peer's would be."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def pieces(effect: Effect, body: bytes) -> Iterator[tuple[float, bytes]]:
    """Yield what is sent of a body: seconds to wait, and the bytes that come then."""
    sent = body[: len(body) // 2] if effect.cut else body
    if not effect.trickle_s or not sent:
        yield effect.trickle_s, sent
        return
    size = math.ceil(len(sent) / _PIECES)
    starts = range(0, len(sent), size)
    for start in starts:
        yield effect.trickle_s / len(starts), sent[start : start + size]


def plain_error(status: int) -> web.Response:
    """Answer a bare status, for targets that have no error shape of their own."""
    return web.json_response({"status": status}, status=status)


async def play(
    effect: Effect | None,
    request: web.Request,
    answer: Callable[[], Awaitable[web.StreamResponse]],
    error: Callable[[int], web.Response] = plain_error,
) -> web.StreamResponse:
    """Answer an aiohttp request as the effect says.

    Args:
        effect: what `Faults.take` returned.
        request: the call.
        answer: gets the target's own answer.
        error: makes the target's own error answer for a status without a body.

    """
    if effect is None:
        return await answer()
    await asyncio.sleep(effect.delay_s)
    if effect.reset:
        return _reset(request)
    response = _made_up(effect, error) if effect.answers else await answer()
    if effect.mangles and isinstance(response, web.Response):
        return await _mangle(effect, request, response)
    return response


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        arm_reset(request.transport.get_extra_info("socket"))
        request.transport.abort()
    return web.Response(status=500)


def _made_up(effect: Effect, error: Callable[[int], web.Response]) -> web.Response:
    status = effect.status or web.HTTPOk.status_code
    if effect.body is None:
        return error(status)
    if isinstance(effect.body, str):
        return web.Response(text=effect.body, status=status, content_type=effect.content_type)
    return web.json_response(effect.body, status=status)


async def _mangle(effect: Effect, request: web.Request, whole: web.Response) -> web.StreamResponse:
    """Send an answer slowly, or only half of what its length promises."""
    body = whole.body if isinstance(whole.body, bytes) else b""
    response = web.StreamResponse(status=whole.status, headers=whole.headers)
    response.content_length = len(body)
    await response.prepare(request)
    for pause, piece in pieces(effect, body):
        await asyncio.sleep(pause)
        await response.write(piece)
    if effect.cut and request.transport is not None:
        request.transport.close()
    return response
