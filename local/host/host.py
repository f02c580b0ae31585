"""Puts the parts together: reads the app, starts its listeners and its web server, and stops all of it in order."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from local.host.by_hand import ByHand
from local.host.errors import FunctionError, HostError
from local.host.function_logs import FunctionLogs
from local.host.functions import FunctionDefinition, HttpTrigger, define
from local.host.host_id import host_id
from local.host.host_json import read_host_json
from local.host.invocation import Invoker
from local.host.listeners.assembly import Listeners
from local.host.messages import Source
from local.host.outputs import QueueWriter
from local.host.settings import Settings
from local.host.supervisor import Supervisor
from local.host.web.admin import Admin
from local.host.web.event_grid import EventGridWebhook
from local.host.web.function_routes import FunctionRoutes
from local.host.web.keys import KEY_SETTINGS, Keys
from local.host.web.server import WebServer
from local.host.worker_process import PYTHON_SETTING, WorkerProcess, our_worker

_LOG = logging.getLogger(__name__)
_GRACE_S = 10.0
_WEB_THREADS = 32


class FunctionsHost:
    """
    One function app, run as the platform would run it; a context manager.

    Args:
        app_dir: Folder of `function_app.py` and `host.json`.
        settings: App settings; the worker's environment is this process's with these on top.
        port: Where HTTP is served on loopback; 0 lets the system choose.
        blob_scan_interval_s: Pause between two looks for new blobs; 10 on the platform.

    Raises:
        HostError: A setting or host.json is unusable, or the port is taken.
    """

    def __init__(
        self, app_dir: Path, settings: Mapping[str, str], *, port: int = 0, blob_scan_interval_s: float = 10.0
    ) -> None:
        self._directory = app_dir.resolve()
        self._settings = Settings(settings)
        self._interval_s = blob_scan_interval_s
        self._options = read_host_json(self._directory, self._settings)
        self._keys = Keys.from_settings(self._settings)
        self._server = WebServer(port)
        self._supervisor = Supervisor(self._start_worker)
        self._logs = FunctionLogs(self._options)
        self._threads = ThreadPoolExecutor(_WEB_THREADS, thread_name_prefix="web")
        self._listeners: Listeners | None = None
        self._by_hand: ByHand | None = None
        self._routes: FunctionRoutes | None = None
        self.functions: Sequence[FunctionDefinition] = ()
        self.errors: Mapping[str, str] = {}

    def start(self) -> FunctionsHost:
        """
        Load the app and begin to run its functions.

        A function that cannot be started (see `errors`) is left out and the others run, as on the platform.

        Raises:
            HostError: The app cannot be loaded, the host's storage is needed and not usable, or it was started before.
        """
        if self._listeners or self.functions:
            raise HostError("a host is started once; make another")
        try:
            self.functions, self.errors = _defined(self._supervisor.start(), self._settings)
            self._assemble()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Take no more work, give running functions ten seconds, and end the worker. Stopping twice is harmless."""
        if self._listeners:
            self._listeners.stop()
        if self._by_hand:
            self._by_hand.stop()
        self._server.stop()
        if self._listeners:
            self._listeners.drain(_GRACE_S)
        self._supervisor.stop()
        if self._listeners:
            self._listeners.drain()
        self._threads.shutdown()
        self._listeners = None

    @property
    def url(self) -> str:
        """Base address, without a trailing slash."""
        return self._server.url

    @property
    def master_key(self) -> str:
        """The key that opens administration and everything else."""
        return self._keys.master.reveal()

    @property
    def function_key(self) -> str:
        """The key that opens every function of auth level `function`."""
        return self._keys.function.reveal()

    @property
    def blobs_key(self) -> str:
        """The key of the Event Grid webhook."""
        return self._keys.blobs.reveal()

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker; None while it is being replaced."""
        worker = self._supervisor.worker
        return worker.pid if worker else None

    def function_url(self, trigger: HttpTrigger) -> str:
        """Return the address of an HTTP function."""
        if self._routes is None:
            raise HostError("the host has not been started")
        return self._routes.url(self.url, trigger)

    def __enter__(self) -> FunctionsHost:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _assemble(self) -> None:
        identity = host_id(self._directory, self._settings)
        writer = QueueWriter(is_base64=self._options.queues.is_base64, on_written=lambda o: listeners.wake(o))
        invoker = Invoker(self._supervisor, writer, self._logs, timeout_s=self._options.function_timeout_s)
        listeners = Listeners(
            self.functions,
            invoker,
            self._options,
            self._settings,
            identity,
            blob_scan_interval_s=self._interval_s,
        )
        self._listeners = listeners
        self._serve(invoker, listeners, identity)
        listeners.start()

    def _serve(self, invoker: Invoker, listeners: Listeners, identity: str) -> None:
        by_name = {function.name.lower(): function for function in self.functions}
        self._by_hand = by_hand = ByHand(invoker, listeners.blob_queue, self._threads)
        admin = Admin(by_name, self.errors, self._keys, host_id=identity, run=by_hand.start)
        webhook = EventGridWebhook(listeners.blob_queue, self._keys, self._threads)
        self._routes = FunctionRoutes(
            self.functions, invoker, self._keys, prefix=self._options.route_prefix, threads=self._threads
        )
        self._server.start(admin=admin.serve, webhook=webhook.serve, functions=self._routes.serve)

    def _start_worker(self) -> WorkerProcess:
        own = {name: value for name, value in self._settings.values.items() if name not in KEY_SETTINGS}
        environment = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development", **os.environ, **own}
        for name in KEY_SETTINGS:
            environment.pop(name, None)
        command = our_worker(self._settings.get(PYTHON_SETTING) or sys.executable)
        return WorkerProcess(self._directory, environment, self._logs.take, command)


def _defined(sources: Sequence[Source], settings: Settings) -> tuple[Sequence[FunctionDefinition], Mapping[str, str]]:
    functions, errors = [], {}
    for source in sources:
        try:
            functions.append(define(source, settings))
        except FunctionError as error:
            _LOG.error("%s", error)
            errors[error.function] = error.problem
    return functions, errors
