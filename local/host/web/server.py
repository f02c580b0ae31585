"""The HTTP server: Starlette on uvicorn, on a thread of its own, bound early so that a taken port is known."""

from __future__ import annotations

import socket
import threading
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.host.errors import HostError
from local.host.web.event_grid import PATH as EVENT_GRID_PATH

_HOST = "127.0.0.1"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_GRACE_S = 5
Serve = Callable[[Request], Awaitable[Response]]


class WebServer:
    """
    Serves administration, the Event Grid webhook and functions on loopback.

    Args:
        port: 0 lets the system choose one.

    Raises:
        HostError: The port is taken.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((_HOST, port))
            self._socket.listen()  # requests that come before the app is loaded wait
        except OSError as error:
            self._socket.close()
            raise HostError(f"Port {port} is taken: stop the program that uses it, or choose another port.") from error
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Base address, without a trailing slash."""
        return f"http://{_HOST}:{self._socket.getsockname()[1]}"

    def start(self, *, admin: Serve, webhook: Serve, functions: Serve) -> None:
        """Accept connections; return at once."""
        app = Starlette(
            routes=[
                Route("/admin/{rest:path}", admin, methods=_METHODS),
                Route(EVENT_GRID_PATH, webhook, methods=["POST", "OPTIONS"]),
                Route("/{rest:path}", functions, methods=_METHODS),
            ]
        )
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Accept nothing more, let running requests end within seconds, and free the port."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        self._socket.close()
