"""One of several processes at one listening socket: `python -m studio.serving.scoring_process DESCRIPTOR`."""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from studio.core import Core, assemble_core
from studio.log_lines import configure_logging
from studio.settings import Settings

if TYPE_CHECKING:
    import uvicorn

END_REQUESTS_WITHIN_S = 10

_TURN_S = (
    0.0005  # requests wait at most so long for a thread that loads a model or imports; Python's own is ten times that
)


def uvicorn_server(settings: Settings) -> uvicorn.Server:
    """Make the HTTP server of this process; a stop lets requests under way end."""
    sys.setswitchinterval(_TURN_S)
    core = assemble_core(settings)
    threading.Thread(target=_look_early, args=(core,), daemon=True).start()
    import uvicorn  # while storage answers

    from studio.web.app import create_app
    from studio.web.http_protocol import WholeAnswers

    config = uvicorn.Config(
        create_app(core),
        http=WholeAnswers,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=END_REQUESTS_WITHIN_S,
    )
    gc.freeze()  # what is there now stays: no collection needs to go through it
    return uvicorn.Server(config)


def _look_early(core: Core) -> None:
    """Read the catalog and load models before anybody can ask; the application looks again, and reports problems."""
    with suppress(Exception):
        core.registry.refresh()


def main(descriptor: int) -> None:
    """Answer at an inherited socket until SIGTERM, or until the process that handed it over is gone."""
    settings = Settings.from_env(os.environ)
    configure_logging(as_json=settings.operation.logs_json)
    server = uvicorn_server(settings)

    def stop_at_end_of_input() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=stop_at_end_of_input, daemon=True).start()
    with socket.socket(fileno=descriptor) as listener:
        server.run(sockets=[listener])


if __name__ == "__main__":
    main(int(sys.argv[1]))
