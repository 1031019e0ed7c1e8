"""Stands before moto: keeps the journal, plays the faults, lets one request in at a time."""

import io
import json
import logging
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, Never

from lab.aws.errors import code_for, content_type, error_body
from lab.aws.moto_edge import LOCK
from lab.aws.operations import Call, read_call
from lab.effects import arm_reset, pieces
from lab.faults import RESET_STATUS, Effect
from lab.world import World

log = logging.getLogger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Answer = tuple[str, list[tuple[str, str]], bytes]


class Middleware:
    """A WSGI application around moto's."""

    def __init__(self, world: World, application: Application) -> None:
        self._world = world
        self._application = application

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Name the call, let a fault have it or moto answer it, and write it down."""
        call = _call_of(environ)
        effect = self._world.faults.take(
            "aws", call.operation, {**call.parameters, "service": call.service}
        )
        if effect is not None:
            time.sleep(effect.delay_s)
            if effect.reset:
                self._world.journal.record("aws", call.operation, RESET_STATUS)
                arm_reset(environ["werkzeug.socket"])
                _hang_up(environ)
        answer = _faulty(call, effect) if effect and effect.answers else self._ask(call, environ)
        status, headers, body = answer
        self._world.journal.record("aws", call.operation, int(status.partition(" ")[0]))
        if effect is None or not effect.mangles:
            start_response(status, headers)
            return [body]
        start_response(status, _with_length(headers, len(body)))
        return _mangled(effect, body, environ)

    def _ask(self, call: Call, environ: Environ) -> Answer:
        heard: list[tuple[str, list[tuple[str, str]]]] = []

        def hear(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            heard.append((status, headers))

        try:
            with LOCK:
                body = b"".join(self._application(environ, hear))
        except NotImplementedError as error:
            return _error(call, HTTPStatus.BAD_REQUEST, "InvalidAction", str(error))
        except Exception as error:  # moto's own mistakes must not look like a broken connection
            log.exception("%s %s made moto fail", call.service, call.operation)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            return _error(call, status, code_for(status, call.protocol), repr(error))
        status_line, headers = heard[-1]
        return status_line, headers, body


def _call_of(environ: Environ) -> Call:
    """Read a request whole, so that a slow sender does not hold moto's lock."""
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        body = stream.read()
    else:
        body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    headers = {
        key.removeprefix("HTTP_").replace("_", "-").lower(): value
        for key, value in environ.items()
        if key.startswith("HTTP_") and isinstance(value, str)
    }
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    return read_call(
        environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"], headers, body
    )


def _hang_up(environ: Environ) -> Never:
    """End the connection: no further request comes on it, so that its thread ends as well.

    Raises:
        ConnectionAbortedError: always; the server takes it for a caller that has gone.

    """
    environ["werkzeug.socket"].shutdown(socket.SHUT_RD)
    raise ConnectionAbortedError


def _with_length(headers: list[tuple[str, str]], length: int) -> list[tuple[str, str]]:
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    return [*kept, ("Content-Length", str(length))]


def _mangled(effect: Effect, body: bytes, environ: Environ) -> Iterator[bytes]:
    """Yield a body slowly, or only half of it."""
    for pause, piece in pieces(effect, body):
        time.sleep(pause)
        yield piece
    if effect.cut:
        _hang_up(environ)


def _faulty(call: Call, effect: Effect) -> Answer:
    """Answer as the fault says: AWS's error for a bare status or for `{"code", "message"}`."""
    status = effect.status or HTTPStatus.OK
    body = effect.body
    if body is None or (isinstance(body, dict) and "code" in body):
        given = body or {}
        code = str(given.get("code") or code_for(status, call.protocol))
        return _error(call, status, code, str(given.get("message") or "A fault of the lab."))
    text = body if isinstance(body, str) else json.dumps(body)
    kind = effect.content_type or content_type(call.protocol)
    return _line(status), [("Content-Type", kind)], text.encode()


def _error(call: Call, status: int, code: str, message: str) -> Answer:
    body = error_body(call.service, call.protocol, status, code, message)
    headers = [("Content-Type", content_type(call.protocol)), ("x-amzn-ErrorType", code)]
    return _line(status), headers, body


def _line(status: int) -> str:
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
    return f"{int(status)} {phrase}"
