"""Whether a WebSocket passes, seen through a server that does only as much as that needs."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from corral.clients.rancher import RancherClient
from corral.domain.set_up.keys import KeyPair

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
KEY = KeyPair("ACCESS", "hidden")
PROJECTS = [
    {"id": "1a5", "name": "Default", "state": "inactive"},
    {"id": "1a7", "name": "main", "state": "active"},
]


@contextmanager
def server(upgrade_status: int, projects: list[dict] = PROJECTS) -> Iterator[tuple[str, list]]:
    """Answer the list of environments, and an upgrade with the given status."""
    upgrades: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.headers.get("Upgrade", "").lower() != "websocket":
                body = json.dumps({"data": projects, "pagination": None}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            upgrades.append((self.path, self.headers.get("Authorization", "")))
            accept = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + MAGIC).encode()).digest()  # noqa: S324 - the RFC's
            self.send_response(upgrade_status)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept).decode())
            self.end_headers()
            self.close_connection = True

        def log_message(self, *_):
            """Keep the test's output clean."""

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}", upgrades
        finally:
            http.shutdown()
            thread.join()


def test_a_websocket_is_opened_in_an_active_environment_with_our_key():
    with server(101) as (url, upgrades):
        said = RancherClient(url, KEY).websocket()

    assert said == "101"
    basic = base64.b64encode(b"ACCESS:hidden").decode()
    assert upgrades == [
        ("/v2-beta/projects/1a7/subscribe?eventNames=resource.change", f"Basic {basic}")
    ]


def test_an_upgrade_that_is_answered_otherwise_is_told_by_its_status():
    with server(404) as (url, _):
        assert RancherClient(url, KEY).websocket() == "404"


def test_without_an_environment_there_is_nothing_to_open():
    with server(101, projects=[]) as (url, _):
        assert RancherClient(url, KEY).websocket() == "no active environment to open one in"


def test_nobody_to_upgrade_with_is_told_in_plain_words():
    nobody = RancherClient("http://127.0.0.1:9", attempts=1)

    assert nobody.websocket() == "connection refused"
