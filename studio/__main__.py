"""Command line: `python -m studio serve | work | publish`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from shared.errors import ConfigError
from studio.settings import Settings

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what its name says, 1 with one message when it could not."""
    options = _parser().parse_args(arguments)
    # Read when OpenMP loads: threads that spin while they wait make a fit several times slower beside other programs.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    _configure_logging()
    command: Callable[[argparse.Namespace], int] = options.command
    return command(options)


def _serve(options: argparse.Namespace) -> int:
    from studio.server import PortTaken, serve  # HTTP is imported by the command that needs it

    try:
        serve(_settings(), host=options.host, port=options.port, n_workers=options.workers)
    except PortTaken as error:
        return _failed(error)
    return 0


def _work(options: argparse.Namespace) -> int:
    from studio.bootstrap import assemble_worker
    from studio.training_process import warm_up

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if options.attached:
        threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
    storage, worker = assemble_worker(_settings(), stop)
    warm_up()
    storage.prepare()
    worker.run()
    return 0


def _publish(options: argparse.Namespace) -> int:
    from azure.core.exceptions import AzureError

    from studio.addresses import Addresses
    from studio.bootstrap import assemble
    from studio.engine.errors import EngineError
    from studio.keys import VaultError
    from studio.publication_table import as_table
    from studio.publish import publish

    settings = _settings()
    try:
        publication = publish(assemble(settings), options.experiment, options.data, options.endpoint)
    except (ConfigError, EngineError, VaultError) as error:
        return _failed(error)
    except AzureError as error:
        return _failed(ConfigError("STUDIO_STORAGE", [f"the storage account does not answer: {type(error).__name__}"]))
    addresses = Addresses(settings.url)
    print(json.dumps(publication.to_json(addresses)) if options.json else as_table(publication, addresses))
    return 0


def _settings() -> Settings:
    try:
        return Settings.from_env(os.environ)
    except ConfigError as error:
        raise SystemExit(_failed(error)) from None


def _failed(error: Exception) -> int:
    print(f"python -m studio: {error}", file=sys.stderr)
    return 1


def _stop_at_end_of_input(stop: threading.Event) -> None:
    """A worker that `serve` started ends with it, however that process ended."""
    sys.stdin.read()
    stop.set()


def _configure_logging() -> None:
    logging.basicConfig(level=logging.INFO, format=_LOG_FORMAT)
    logging.getLogger("azure").setLevel(logging.WARNING)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m studio", description="A web service that speaks the protocol of Azure ML Studio (classic)."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_serve(commands.add_parser("serve", help="answer requests, with workers beside"))
    _add_work(commands.add_parser("work", help="run batch jobs"))
    _add_publish(commands.add_parser("publish", help="publish an experiment with its first data"))
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=5100, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--workers",
        type=int,
        default=1,
        choices=range(9),
        metavar="N",
        help="worker processes to start (default: %(default)s)",
    )
    parser.set_defaults(command=_serve)


def _add_work(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--attached", action="store_true", help="stop when standard input closes")
    parser.set_defaults(command=_work)


def _add_publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", type=Path, metavar="EXPERIMENT.toml")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FILE", help="data for the first model (csv, tsv, nh.csv, nh.tsv)"
    )
    parser.add_argument(
        "--endpoint", action="append", default=[], metavar="NAME", help="further endpoint; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, with the keys")
    parser.set_defaults(command=_publish)


if __name__ == "__main__":
    sys.exit(main())
