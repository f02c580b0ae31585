"""`python -m studio.scoring_process DESCRIPTOR`: one of several processes that answer at one listening socket."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading

import uvicorn

from studio.bootstrap import assemble
from studio.log_lines import use_json_lines
from studio.settings import Settings
from studio.web.app import create_app
from studio.web.http_protocol import WholeAnswers

END_REQUESTS_WITHIN_S = 10


def uvicorn_server(settings: Settings) -> uvicorn.Server:
    """Make the HTTP server of this process; a stop lets requests under way end."""
    if settings.operation.log_json:
        use_json_lines()
    config = uvicorn.Config(
        create_app(assemble(settings)),
        http=WholeAnswers,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=END_REQUESTS_WITHIN_S,
    )
    return uvicorn.Server(config)


def main(descriptor: int) -> None:
    """Answer at an inherited socket until SIGTERM, or until the process that handed it over is gone."""
    settings = Settings.from_env(os.environ)
    server = uvicorn_server(settings)

    def stop_at_end_of_input() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=stop_at_end_of_input, daemon=True).start()
    with socket.socket(fileno=descriptor) as listener:
        server.run(sockets=[listener])


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)
    main(int(sys.argv[1]))
