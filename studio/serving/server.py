"""`serve`: one or several HTTP processes at one socket, and worker processes beside them that end with them."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import replace

from shared.logs import event
from studio.batch.doorbell import Doorbell
from studio.serving.child_process import ChildProcess
from studio.serving.scoring_process import uvicorn_server
from studio.settings import Settings

_BACKLOG = 2048

_log = logging.getLogger(__name__)


class PortTaken(Exception):
    """The address to listen on cannot be had."""


def serve(settings: Settings, *, host: str, port: int, n_workers: int, n_processes: int | None = None) -> None:
    """
    Answer requests until SIGINT or SIGTERM.

    Args:
        n_processes: How many processes answer; None for what STUDIO_PROCESSES says.

    Raises:
        PortTaken: Somebody else listens there, or the address is not this machine's.
    """
    n_processes = n_processes or settings.operation.processes
    bell = Doorbell.hung()
    with _listening(host, port) as listener:
        workers = [_worker(bell) for _ in range(n_workers)]
        place = {"host": host, "port": listener.getsockname()[1]}
        event(_log, "server.started", **place, processes=n_processes, workers=n_workers)
        try:
            if n_processes == 1:
                _answer_here(settings, bell, listener)
            else:
                _answer_beside(bell, listener, n_processes)
        finally:
            _stop_all(workers)


def _answer_here(settings: Settings, bell: Doorbell, listener: socket.socket) -> None:
    # uvicorn raises the signals that it has handled once more when it is done; the workers' end comes after that.
    _on_signal(lambda: None)
    operation = replace(settings.operation, doorbell_rings_at=bell.rings_at)
    uvicorn_server(replace(settings, operation=operation)).run(sockets=[listener])


def _answer_beside(bell: Doorbell, listener: socket.socket, n_processes: int) -> None:
    stop = threading.Event()
    _on_signal(stop.set)
    number = listener.fileno()
    environment = {**os.environ, "STUDIO_DOORBELL_RINGS_AT": str(bell.rings_at)}
    arguments, descriptors = ["studio.serving.scoring_process", str(number)], [number, bell.rings_at]
    children = [ChildProcess("scorer", arguments, environment, descriptors) for _ in range(n_processes)]
    stop.wait()
    _stop_all(children)


def _worker(bell: Doorbell) -> ChildProcess:
    environment = {**os.environ, "STUDIO_DOORBELL_LISTENS_AT": str(bell.listens_at)}
    return ChildProcess("worker", ["studio", "work", "--attached"], environment, [bell.listens_at])


def _stop_all(children: list[ChildProcess]) -> None:
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.stop()


def _on_signal(action: Callable[[], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: action())


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise PortTaken(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port, or stop what listens there"
        ) from None
