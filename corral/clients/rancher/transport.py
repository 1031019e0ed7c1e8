"""One conversation with Rancher's API: requests out, JSON or an error of ours back.

It knows nothing of hosts or environments. Links in answers are never followed to another host: they
are written from whatever name and scheme the request came in with.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
import stamina
import websocket

from corral.clients.rancher.refusals import reason, refusal
from corral.domain.access import KeyPair
from corral.errors import RancherAnswerError, RancherError, RancherUnreachableError

log = logging.getLogger(__name__)
# It reports every close, ours included, as an error.
logging.getLogger("websocket").setLevel(logging.CRITICAL)

# Seconds to connect, and seconds of silence that an answer may take.
CONNECT_S = 5.0
SILENCE_S = 30.0
RETRY_FOR_S = 60.0
# The largest page that cattle gives; more is cut to this. Source: cattle, api.collection max.
PAGE_SIZE = 3000
TEXT_LENGTH = 2000

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for a probe: the status, the start of the text, and Rancher's version."""

    status: int
    text: str
    version: str


class _NoAuth(requests.auth.AuthBase):
    """Sends no credentials at all, not even those that a .netrc has for the host."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Transport:
    """Speaks to one Rancher with one key, or as nobody."""

    def __init__(self, url: str, key: KeyPair | None = None, *, attempts: int = 5) -> None:
        """Remember where and as whom to speak; nothing is sent yet.

        Args:
            url: Scheme, host and port.
            key: None speaks as nobody, which is an administrator while access control is off.
            attempts: How often a read is tried; a write is sent once.
        """
        self.url = url.rstrip("/")
        self._key = key
        self._attempts = attempts
        self._session = requests.Session()
        self._session.headers.update(_headers(key))
        self._session.auth = (key.access_key, key.secret_key) if key else _NoAuth()

    def read(self, path: str, **filters: str) -> Resource:
        """Return the JSON of a resource or a page, tried again while Rancher is unreachable."""
        for attempt in stamina.retry_context(
            on=RancherUnreachableError, attempts=self._attempts, timeout=RETRY_FOR_S
        ):
            with attempt:
                return self._call("GET", path, filters=filters)
        raise AssertionError("stamina gives at least one attempt")  # pragma: no cover

    def read_all(self, path: str, **filters: str) -> Iterator[Resource]:
        """Yield every resource of a collection, page by page to the end.

        Rancher ignores filters it does not know, so callers check what they got.
        """
        params = {"limit": str(PAGE_SIZE), **filters}
        seen = set()
        while True:
            page = self.read(path, **params)
            yield from _rows(page, path)
            following = (page.get("pagination") or {}).get("next")
            if not following:
                return
            if following in seen:
                raise RancherAnswerError(f"{path} of {self.url} pages in a circle")
            seen.add(following)
            params = dict(parse_qsl(urlsplit(following).query))

    def write(self, method: str, path: str, body: Resource | None = None) -> Resource:
        """Send one change, once: whether it was made is for the caller to look up."""
        started = time.monotonic()
        try:
            answer = self._call(method, path, body=body or {})
        except RancherError as error:
            log.info("%s %s: %s", method, path, error.status or "no answer")
            raise
        log.info("%s %s: done in %.1f s", method, path, time.monotonic() - started)
        return answer

    def probe(self, path: str) -> Reply:
        """Return whatever answers a GET, tried once.

        Raises:
            RancherUnreachableError: Nobody answered.
        """
        response = self._send("GET", path)
        version = response.headers.get("X-Rancher-Version", "")
        return Reply(response.status_code, response.text[:TEXT_LENGTH].strip(), version)

    def upgrade(self, path: str) -> int:
        """Ask for a WebSocket, close it again, and return the status of the answer.

        Raises:
            RancherUnreachableError: Nobody answered.
        """
        scheme, _, rest = self.url.partition("://")
        url = f"{'wss' if scheme == 'https' else 'ws'}://{rest}{path}"
        try:
            connection = websocket.create_connection(
                url, timeout=CONNECT_S, header=_upgrade_headers(self._session, url)
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
        filters: dict[str, str] | None = None,
        body: Resource | None = None,
    ) -> Resource:
        response = self._send(method, path, filters=filters, body=body)
        if not response.ok or response.is_redirect:
            raise refusal(method, self.url + path, response)
        try:
            content = response.json()
        except requests.JSONDecodeError:
            content = None
        if not isinstance(content, dict):
            kind = response.headers.get("Content-Type", "no type")
            raise RancherAnswerError(
                f"{method} {self.url}{path} answered {response.status_code} with something that is"
                f" no JSON object ({kind}): is this Rancher?",
                status=response.status_code,
            )
        return content

    def _send(
        self,
        method: str,
        path: str,
        *,
        filters: dict[str, str] | None = None,
        body: Resource | None = None,
    ) -> requests.Response:
        where = f"{method} {self.url}{path}"
        try:
            return self._session.request(
                method,
                self.url + path,
                params=filters,
                json=body,
                timeout=(CONNECT_S, SILENCE_S),
                allow_redirects=False,
            )
        except requests.exceptions.SSLError as error:
            raise RancherAnswerError(f"{where}: the certificate is no good: {error}") from error
        except (requests.ConnectionError, requests.Timeout) as error:
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


def _rows(page: Resource, path: str) -> list[Resource]:
    rows = page.get("data")
    if not isinstance(rows, list):
        raise RancherAnswerError(f"{path} is no collection")
    return rows


def _silence(where: str, error: Exception) -> RancherUnreachableError:
    why = reason(error)
    return RancherUnreachableError(f"{where}: {why}", code=why)
