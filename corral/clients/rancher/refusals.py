"""Requests that did not succeed, turned into errors of ours with a reason people can use."""

import json
import socket
from dataclasses import dataclass
from typing import Any

import requests
import urllib3
import websocket

from corral.errors import (
    RancherAnswerError,
    RancherConflictError,
    RancherError,
    RancherGoneError,
    RancherRefusedError,
    RancherUnreachableError,
)

MESSAGE_LENGTH = 2000
NOT_FOUND = 404
SERVER_FAULT = 500

SILENCES = (
    requests.Timeout,
    TimeoutError,
    urllib3.exceptions.TimeoutError,
    websocket.WebSocketTimeoutException,
)
REACTIONS: dict[int, type[RancherError]] = {
    401: RancherRefusedError,
    403: RancherRefusedError,
    404: RancherGoneError,
    405: RancherConflictError,
    409: RancherConflictError,
    422: RancherConflictError,
    429: RancherUnreachableError,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """Whatever came back: the status with its words, the body, its type, Rancher's version."""

    status: int
    words: str
    body: bytes
    content_type: str
    version: str

    @property
    def text(self) -> str:
        """The start of the body, for people."""
        return self.body[:MESSAGE_LENGTH].decode("utf-8", "replace").strip()


def refusal(where: str, reply: Reply) -> RancherError:
    """Return the error for an answer that is no success, in Rancher's own words if it has any.

    Bodies that are not Rancher's are not quoted: they are pages of proxies. A proxy's 404 says
    nothing of what Rancher has.
    """
    known = _object(reply.body)
    words = [
        str(known[name]) for name in ("code", "fieldName", "message", "detail") if known.get(name)
    ]
    message = f"{where} answered {reply.status}: {', '.join(words) or reply.words}"
    return _reaction(reply, known)(
        message[:MESSAGE_LENGTH],
        status=reply.status,
        code=str(known.get("code") or reply.words),
    )


def _reaction(reply: Reply, known: dict[str, Any]) -> type[RancherError]:
    if reply.status >= SERVER_FAULT:
        return RancherUnreachableError
    if reply.status == NOT_FOUND and reply.body.strip() and not known:
        return RancherAnswerError
    return REACTIONS.get(reply.status, RancherAnswerError)


def _object(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a body is; empty if it is none."""
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def reason(error: BaseException) -> str:
    """Return why nobody answered, in a few words: the innermost cause that says it."""
    said = ""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if isinstance(link, SILENCES):
            said = "no answer in time"
        elif isinstance(link, socket.gaierror):
            return "its name is unknown"
        elif isinstance(link, OSError) and link.strerror:
            said = link.strerror.lower()
        link = _inner(link)
    return said or "the connection broke off"


def _inner(error: BaseException) -> BaseException | None:
    """Return what an error wraps; urllib3 hides it in `reason`, requests in its first argument."""
    for inner in (error.__cause__, getattr(error, "reason", None), *error.args[:1]):
        if isinstance(inner, BaseException) and inner is not error:
            return inner
    return error.__context__
