"""`serve`: one HTTP process on uvicorn, and worker processes beside it that end with it."""

from __future__ import annotations

import logging
import signal
import socket
import subprocess
import sys
import threading

import uvicorn

from shared.logs import event
from studio.bootstrap import assemble
from studio.settings import Settings
from studio.web.app import create_app

_STOP_WITHIN_S = 10
_RESTART_PAUSE_S = 1.0

_log = logging.getLogger(__name__)


class PortTaken(Exception):
    """The address to listen on cannot be had."""


def serve(settings: Settings, *, host: str, port: int, n_workers: int) -> None:
    """
    Answer requests until SIGINT or SIGTERM.

    Raises:
        PortTaken: Somebody else listens there, or the address is not this machine's.
    """
    # uvicorn raises the signals that it has handled once more when it is done; the workers' end comes after that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    with _listening(host, port) as listener:
        workers = [_WorkerProcess() for _ in range(n_workers)]
        try:
            config = uvicorn.Config(
                create_app(assemble(settings)),
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_STOP_WITHIN_S,
            )
            event(_log, "server.started", host=host, port=listener.getsockname()[1], workers=n_workers)
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            for worker in workers:
                worker.stop()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise PortTaken(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port, or stop what listens there"
        ) from None


class _WorkerProcess:
    """`python -m studio work` as a child, started again when it dies; it stops by itself when this process is gone."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._process = _started()
        event(_log, "worker.started", worker_pid=self._process.pid)
        self._watch = threading.Thread(target=self._restart_for_ever, daemon=True)
        self._watch.start()

    def stop(self) -> None:
        """Ask the worker to stop, which gives its job back, and wait for it."""
        self._stopping.set()
        self._process.terminate()
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _restart_for_ever(self) -> None:
        while True:
            code = self._process.wait()
            if self._stopping.wait(_RESTART_PAUSE_S):
                return
            self._process = _started()
            event(_log, "worker.restarted", level=logging.ERROR, exit_code=code, worker_pid=self._process.pid)


def _started() -> subprocess.Popen[bytes]:
    # Its standard input is a pipe that nobody writes to: it closes when this process ends, in whatever way.
    return subprocess.Popen([sys.executable, "-m", "studio", "work", "--attached"], stdin=subprocess.PIPE)
