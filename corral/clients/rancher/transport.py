"""One conversation with Rancher's API: requests out, typed answers or an error of ours back.

It knows nothing of hosts or environments. Links in answers are never followed: they are written
from whatever name and scheme the request came in with, so only the place in a list is taken.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
import stamina
import websocket

from corral.clients.rancher.answers import A, N, Page, parsed
from corral.clients.rancher.paging import read_pages
from corral.clients.rancher.refusals import Reply, reason, refusal
from corral.clients.threads import within
from corral.domain.set_up.keys import KeyPair
from corral.errors import RancherAnswerError, RancherError, RancherUnreachableError

log = logging.getLogger(__name__)
# It reports every close, ours included, as an error.
logging.getLogger("websocket").setLevel(logging.CRITICAL)

# Seconds to connect, seconds of silence that an answer may have, and seconds for the whole of it.
CONNECT_S = 5.0
SILENCE_S = 30.0
ANSWER_S = 90.0
RETRY_FOR_S = 60.0
# Hosts that are worked on at once share a client; each keeps a connection.
CONNECTIONS = 64
OK = 200
REDIRECT = 300
# Nobody answered, or not to the end.
UNANSWERED = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    TimeoutError,
)

Body = Mapping[str, Any]


class _NoAuth(requests.auth.AuthBase):
    """Sends no credentials at all, not even those that a .netrc has for the host."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Transport:
    """Speaks to one Rancher with one key, or as nobody; several threads may share it."""

    def __init__(self, url: str, key: KeyPair | None = None, *, attempts: int = 5) -> None:
        """Remember where and as whom to speak; nothing is sent yet.

        Args:
            url: Scheme, host and port.
            key: None speaks as nobody, which is an administrator while access control is off.
            attempts: How often a read is tried; a write is sent once.
        """
        self.url = url.rstrip("/")
        self._attempts = attempts
        self._session = requests.Session()
        self._session.headers.update(_headers(key))
        self._session.auth = (key.access_key, key.secret_key) if key else _NoAuth()
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS)
        self._session.mount(self.url, adapter)

    def read(
        self,
        kind: type[A],
        path: str,
        filters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> A:
        """Return a resource or a page, tried again while Rancher is unreachable."""
        for attempt in stamina.retry_context(
            on=RancherUnreachableError, attempts=self._attempts, timeout=RETRY_FOR_S
        ):
            with attempt:
                reply = self._call("GET", path, filters=filters, headers=headers)
                return parsed(kind, reply, f"GET {self.url}{path}")
        raise AssertionError("stamina gives at least one attempt")  # pragma: no cover

    def read_all(
        self,
        kind: type[N],
        path: str,
        filters: Mapping[str, str] | None = None,
        *,
        paged: bool = False,
    ) -> Iterator[N]:
        """Yield every resource of a collection once, page by page to the end.

        Rancher ignores filters it does not know, so callers check what they got.

        Args:
            kind: What each row is.
            path: Of the collection.
            filters: What Rancher is to leave out.
            paged: Whether Rancher always says of this list whether more follows: if it does not,
                the list may have been cut.

        Raises:
            RancherConflictError: The list moved while it was read, so that rows may be missing.
        """

        def read(place: Mapping[str, str]) -> Page[N]:
            return self.read(Page[kind], path, {**(filters or {}), **place})  # type: ignore[valid-type]

        return read_pages(read, f"{self.url}{path}", paged=paged)

    def write(self, kind: type[A], method: str, path: str, body: Body | None = None) -> A:
        """Send one change, once: whether it was made is for the caller to look up."""
        started = time.monotonic()
        try:
            reply = self._call(method, path, body=body or {})
        except RancherError as error:
            log.info("%s %s: %s", method, path, error.status or "no answer")
            raise
        log.info("%s %s: done in %.1f s", method, path, time.monotonic() - started)
        return parsed(kind, reply, f"{method} {self.url}{path}")

    def probe(self, path: str) -> Reply:
        """Return whatever answers a GET, tried once.

        Raises:
            RancherUnreachableError: Nobody answered.
        """
        return self._send("GET", path)

    def upgrade(self, path: str) -> int:
        """Ask for a WebSocket, close it again, and return the status of the answer.

        Raises:
            RancherUnreachableError: Nobody answered.
        """
        scheme, _, rest = self.url.partition("://")
        url = f"{'wss' if scheme == 'https' else 'ws'}://{rest}{path}"
        try:
            connection = within(
                ANSWER_S,
                lambda: websocket.create_connection(
                    url, timeout=CONNECT_S, header=_upgrade_headers(self._session, url)
                ),
            )
        except websocket.WebSocketBadStatusException as error:
            return int(error.status_code)
        except (websocket.WebSocketException, OSError) as error:
            raise _silence(f"WebSocket to {url}", error) from error
        connection.close(timeout=1)
        return int(connection.getstatus())

    def _call(
        self,
        method: str,
        path: str,
        *,
        filters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Reply:
        """Return an answer of success; every other one is an error."""
        reply = self._send(method, path, filters=filters, headers=headers, body=body)
        if not OK <= reply.status < REDIRECT:
            raise refusal(f"{method} {self.url}{path}", reply)
        return reply

    def _send(
        self,
        method: str,
        path: str,
        *,
        filters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Reply:
        def send() -> requests.Response:
            return self._session.request(
                method,
                self.url + path,
                params=filters,
                headers=headers,
                json=body,
                timeout=(CONNECT_S, SILENCE_S),
                allow_redirects=False,
            )

        with _translated(f"{method} {self.url}{path}"):
            response = within(ANSWER_S, send)
        return Reply(
            response.status_code,
            str(response.reason or ""),
            response.content,
            response.headers.get("Content-Type", ""),
            response.headers.get("X-Rancher-Version", ""),
        )


@contextmanager
def _translated(where: str) -> Iterator[None]:
    """Turn what requests raises in this block into our errors."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise RancherAnswerError(f"{where}: the certificate is no good: {error}") from error
    except UNANSWERED as error:
        raise _silence(where, error) from error
    except requests.RequestException as error:
        raise RancherAnswerError(f"{where}: {error}") from error


def _headers(key: KeyPair | None) -> dict[str, str]:
    """Return what every request carries.

    A name like a browser's would bring CSRF checks. While access control is off Rancher takes even
    a wrong key for an administrator's, unless it is asked to look.

    Source: cattle, AdminAuthLookUp.java.
    """
    headers = {"User-Agent": "corral", "Accept": "application/json", "X-API-No-Challenge": "true"}
    return headers | {"X-ENFORCE-AUTHENTICATION": "true"} if key else headers


def _upgrade_headers(session: requests.Session, url: str) -> list[str]:
    """Return the headers that the session would send, credentials included."""
    prepared = session.prepare_request(requests.Request("GET", url.replace("ws", "http", 1)))
    wanted = ("Authorization", "User-Agent", "X-ENFORCE-AUTHENTICATION")
    return [f"{name}: {prepared.headers[name]}" for name in wanted if name in prepared.headers]


def _silence(where: str, error: Exception) -> RancherUnreachableError:
    why = reason(error)
    return RancherUnreachableError(f"{where}: {why}", code=why)
