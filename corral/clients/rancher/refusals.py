"""Requests that did not succeed, turned into errors of ours with a reason people can use."""

import socket

import requests
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
SERVER_FAULT = 500

REACTIONS: dict[int, type[RancherError]] = {
    401: RancherRefusedError,
    403: RancherRefusedError,
    404: RancherGoneError,
    405: RancherConflictError,
    409: RancherConflictError,
    422: RancherConflictError,
    429: RancherUnreachableError,
}


def refusal(method: str, url: str, response: requests.Response) -> RancherError:
    """Return the error for an answer that is no success, in Rancher's own words if it has any.

    Bodies that are not Rancher's are not quoted: they are pages of proxies.
    """
    status = response.status_code
    kind = RancherUnreachableError if status >= SERVER_FAULT else REACTIONS.get(status)
    try:
        content = response.json()
    except requests.JSONDecodeError:
        content = None
    known = content if isinstance(content, dict) else {}
    words = [
        str(known[name]) for name in ("code", "fieldName", "message", "detail") if known.get(name)
    ]
    message = f"{method} {url} answered {status}: {', '.join(words) or response.reason}"
    return (kind or RancherAnswerError)(
        message[:MESSAGE_LENGTH],
        status=status,
        code=str(known.get("code") or response.reason or ""),
    )


def reason(error: BaseException) -> str:
    """Return why nobody answered, in a few words: the innermost cause that says it."""
    said = ""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if isinstance(link, (requests.Timeout, TimeoutError, websocket.WebSocketTimeoutException)):
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
