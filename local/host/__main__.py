"""`python -m local.host`: runs a function app until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from local.host.errors import AppError, HostError
from local.host.functions import BlobTrigger, FunctionDefinition, HttpTrigger, QueueTrigger, TimerTrigger
from local.host.host import FunctionsHost
from local.host.settings import read_local_settings
from local.host.web.keys import FUNCTION_KEY, MASTER_KEY

_QUIET = ("azure", "urllib3", "uvicorn")


def main(arguments: list[str] | None = None) -> int:
    """Run until told to stop; the exit code is 1 when the app cannot run as a whole, 0 after an orderly end."""
    options = _parser().parse_args(arguments)
    _configure_logging()
    try:
        settings = _settings(options.app, options.settings)
        host = FunctionsHost(options.app, settings, port=options.port, blob_scan_interval_s=options.blob_scan_interval)
        return _run(host, settings)
    except HostError as error:
        trace = f"{error.trace}\n" if isinstance(error, AppError) and error.trace else ""
        print(f"{trace}The function app cannot be run. {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.host", description="Run a function app on this machine.")
    parser.add_argument("--app", type=Path, default=Path.cwd(), help="folder of function_app.py (default: here)")
    parser.add_argument("--port", type=int, default=7071, help="HTTP port on loopback; 0 chooses one (default: 7071)")
    parser.add_argument("--settings", type=Path, help="settings file (default: local.settings.json of the app, if any)")
    parser.add_argument("--blob-scan-interval", type=float, default=10.0, help="seconds (default: 10, the platform's)")
    return parser


def _configure_logging() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stdout)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _settings(app: Path, file: Path | None) -> Mapping[str, str]:
    """The settings file's values; the environment wins."""
    path = file or app / "local.settings.json"
    values = read_local_settings(path) if file or path.exists() else {}
    return {**values, **os.environ}


def _run(host: FunctionsHost, settings: Mapping[str, str]) -> int:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with host:
        if host.errors:
            # The platform would run the others; at a terminal half an app only hides the mistake.
            lines = "".join(f"\n  {name}: {problem}" for name, problem in host.errors.items())
            raise HostError(f"Functions in error:{lines}")
        _announce(host, settings)
        stopping.wait()
    return 0


def _announce(host: FunctionsHost, settings: Mapping[str, str]) -> None:
    print("Functions:")
    for function in host.functions:
        print(f"  {function.name}: {_described(host, function)}{' (disabled)' if function.is_disabled else ''}")
    for name, key in ((MASTER_KEY, host.master_key), (FUNCTION_KEY, host.function_key)):
        if not settings.get(name):
            print(f"{name}={key}   (made for this run)")
    print(f"Listening on {host.url}", flush=True)


def _described(host: FunctionsHost, function: FunctionDefinition) -> str:
    match function.trigger:
        case HttpTrigger(methods=methods) as trigger:
            return f"{','.join(sorted(methods)) or 'any method'} {host.function_url(trigger)} ({trigger.auth_level})"
        case QueueTrigger(queue=queue):
            return f"queue '{queue}'"
        case BlobTrigger(path=path):
            return f"blob '{path.text}'"
        case TimerTrigger(schedule=schedule):
            return f"timer '{schedule.text}'"


if __name__ == "__main__":
    sys.exit(main())
