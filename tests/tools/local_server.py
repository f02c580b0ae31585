"""A real HTTP server on this machine, for the tests that need another end."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class QuietHandler(BaseHTTPRequestHandler):
    """Answers without a line on standard error."""

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


class LocalServer:
    """
    Listens as soon as it is made, at `url`; answers within `with`.

    Args:
        handler: Answers the requests.
        known: What the handler finds under these names of its own.
    """

    def __init__(self, handler: type[QuietHandler], **known: object) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (handler,), known))
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
