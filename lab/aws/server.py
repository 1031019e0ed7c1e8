"""moto's server in a thread of this process, as ThreadedMotoServer does it, with our middleware."""

import logging
import socket
import threading

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from lab.aws.middleware import Middleware
from lab.world import World

_HOST = "127.0.0.1"
_BACKLOG = 128


class AwsServer:
    """Answers AWS calls on loopback."""

    def __init__(self, world: World, port: int) -> None:
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        application = Middleware(world, DomainDispatcherApplication(create_backend_app))
        # Bound here, since werkzeug ends the process when it finds a port taken
        with socket.create_server((_HOST, port), backlog=_BACKLOG) as bound:
            self._server = make_server(
                *bound.getsockname(),
                application,
                threaded=True,
                request_handler=MotoRequestHandler,
                fd=bound.fileno(),
            )
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="aws", daemon=True
        )

    def start(self) -> str:
        """Begin to answer and return the endpoint's URL."""
        self._thread.start()
        return f"http://{_HOST}:{self._server.port}"

    def stop(self) -> None:
        """Stop answering. What is under way is not waited for."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
