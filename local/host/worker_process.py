"""One worker process as the host sees it, from its start to its end."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from local.host.errors import AppError, WorkerGone
from local.host.messages import Broken, Channel, Invoke, LogLine, Message, Outcome, Ready, Source

_LOG = logging.getLogger(__name__)
_ROOT = Path(__file__).resolve().parents[2]
_START_TIMEOUT_S = 60.0  # the platform's
_STOP_TIMEOUT_S = 10.0  # the platform's

# The host's own setting for the program that runs Python.
PYTHON_SETTING = "languageWorkers__python__defaultExecutablePath"
_PACKAGES = Path(".python_packages") / "lib" / "site-packages"


def our_worker(python: str = sys.executable) -> tuple[str, ...]:
    """Return the command line of our worker, run by a Python."""
    return (python, "-m", "local.host.worker")


OUR_WORKER = our_worker()


class WorkerProcess:
    """
    A worker that loads the app at once and runs what it is given until it is stopped, killed or crashes.

    Args:
        directory: Folder of the function app.
        environment: The worker's whole environment.
        on_log: Called with every log line, on the thread that reads from the worker.
        command: The worker; it gets two more arguments, the descriptor of its socket and the app's folder.
    """

    def __init__(
        self,
        directory: Path,
        environment: Mapping[str, str],
        on_log: Callable[[LogLine], None],
        command: Sequence[str] = OUR_WORKER,
    ) -> None:
        self._on_log = on_log
        self._greeting: Future[Ready | Broken] = Future()
        self._pending: dict[str, Future[Outcome]] = {}
        self._lock = threading.Lock()
        self._is_gone = False
        mine, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno()), str(directory)],
                cwd=_ROOT,
                env={**environment, **_packages_of(directory)},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the host, which ends its worker in order
            )
        self._channel = Channel(mine)
        self._reader = threading.Thread(target=self._read, name="worker-reader", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def functions(self) -> Sequence[Source]:
        """
        Wait until the app is loaded and return its functions.

        Raises:
            AppError: The app cannot be loaded, or its worker ended or stalled while loading it.
        """
        try:
            greeting = self._greeting.result(_START_TIMEOUT_S)
        except TimeoutError:
            raise AppError(f"the function app was not loaded within {_START_TIMEOUT_S:.0f} seconds") from None
        except WorkerGone as error:
            raise AppError(f"the worker ended while it loaded the function app ({error})") from error
        if isinstance(greeting, Broken):
            raise AppError(greeting.failure.message, greeting.failure.trace)
        return greeting.functions

    def invoke(self, request: Invoke) -> Future[Outcome]:
        """
        Send an invocation; its future fails with `WorkerGone` if the worker ends before it answers.

        Raises:
            WorkerGone: It had ended before; the invocation was not sent.
        """
        future: Future[Outcome] = Future()
        with self._lock:
            if self._is_gone:
                raise WorkerGone(self.epitaph())
            self._pending[request.invocation_id] = future
        try:
            self._channel.send(request)
        except OSError:
            _LOG.debug("the worker ended while an invocation was sent to it")  # the reader fails its future
        return future

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()

    def stop(self) -> None:
        """Close its socket, which ends it, and wait; what it still runs fails."""
        self._channel.close()
        self.wait()

    def wait(self) -> None:
        """Return once it has ended and every invocation that it ran has failed."""
        self._reader.join()

    def epitaph(self) -> str:
        """How it ended."""
        code = self._process.returncode
        return f"killed by signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def _read(self) -> None:
        for message in self._channel:
            self._take(message)
        self._bury()
        with self._lock:
            self._is_gone = True
            orphans = list(self._pending.values())
        error = WorkerGone(f"the worker process ended: {self.epitaph()}")
        if not self._greeting.done():
            self._greeting.set_exception(error)
        for future in orphans:
            future.set_exception(error)

    def _take(self, message: Message) -> None:
        match message:
            case Ready() | Broken():
                self._greeting.set_result(message)
            case LogLine():
                self._on_log(message)
            case Outcome():
                with self._lock:
                    future = self._pending.pop(message.invocation_id)
                future.set_result(message)

    def _bury(self) -> None:
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self._channel.close()


def _packages_of(directory: Path) -> dict[str, str]:
    """Return the setting that lets a worker find the dependencies that a deployed app brings, before any others."""
    packages = directory / _PACKAGES
    return {"PYTHONPATH": str(packages)} if packages.is_dir() else {}
