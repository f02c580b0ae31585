"""Command line: `python -m studio publish | serve | work | endpoints | models | keys | jobs | inspect`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import ConfigError
from studio.engine.openmp import wait_briefly
from studio.log_lines import configure_logging
from studio.settings import Settings

if TYPE_CHECKING:  # each command imports what it needs, and nothing more
    from studio.commands.administration import Finding


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what its name says, 1 with one message when it could not, 2 for a wrong call."""
    options = _parser().parse_args(arguments)
    wait_briefly()
    configure_logging()
    command: Callable[[argparse.Namespace], int] = options.command
    return command(options)


def _serve(options: argparse.Namespace) -> int:
    settings = _settings()
    n_processes = options.processes or settings.operation.processes
    with tempfile.TemporaryDirectory(prefix="studio-metrics-") as folder:
        if n_processes > 1:
            os.environ["STUDIO_METRICS_FOLDER"] = folder  # read by the processes that answer
        from studio.serving.server import PortTaken, serve  # HTTP is imported by the command that needs it

        try:
            serve(settings, host=options.host, port=options.port, n_workers=options.workers, n_processes=n_processes)
        except PortTaken as error:
            return _failed(error)
    return 0


def _work(options: argparse.Namespace) -> int:
    from studio.batch.job_process import warm_up
    from studio.bootstrap import assemble_worker

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if options.attached:
        threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
    settings = _settings()
    _, worker = assemble_worker(settings, stop)
    warm_up()
    worker.run()
    return 0


def _publish(options: argparse.Namespace) -> int:
    from studio.bootstrap import assemble
    from studio.commands.administration import Finding
    from studio.commands.publication_table import as_table
    from studio.commands.publish import publish
    from studio.services.addresses import Addresses

    def find(settings: Settings) -> Finding:
        service, parameters = assemble(settings), dict(options.parameter)
        publication = publish(service, options.experiment, options.data, options.endpoint, parameters, say=_say_beside)
        addresses = Addresses(settings.url)
        return Finding(publication.to_json(addresses), as_table(publication, addresses))

    return _answered(options, find)


def _endpoints(options: argparse.Namespace) -> int:
    from studio.bootstrap import assemble
    from studio.commands.administration import list_endpoints
    from studio.services.addresses import Addresses

    return _answered(
        options, lambda settings: list_endpoints(assemble(settings).catalog.read(), Addresses(settings.url))
    )


def _models(options: argparse.Namespace) -> int:
    from studio.bootstrap import assemble
    from studio.commands.past_models import list_models, put_back

    def find(settings: Settings) -> Finding:
        service = assemble(settings)
        if options.put_back:
            put_back(service.store, service.artifacts, options.service, options.name, options.put_back)
        return list_models(service.store.read(), options.service, options.name)

    return _answered(options, find)


def _keys(options: argparse.Namespace) -> int:
    from studio.bootstrap import assemble
    from studio.commands.administration import rotate_key, show_keys

    def find(settings: Settings) -> Finding:
        store = assemble(settings).store
        if options.rotate:
            return rotate_key(store, options.service, options.name, options.rotate)
        return show_keys(store.read(), options.service, options.name)

    return _answered(options, find)


def _jobs(options: argparse.Namespace) -> int:
    from studio.bootstrap import assemble
    from studio.commands.administration import list_jobs
    from studio.store.job_overview import JobOverview

    def find(settings: Settings) -> Finding:
        service = assemble(settings)
        return list_jobs(JobOverview(service.storage.jobs), service.catalog.read(), options.service, options.name)

    return _answered(options, find)


def _inspect(options: argparse.Namespace) -> int:
    from studio.commands.inspection import inspect_model
    from studio.engine.errors import EngineError

    try:
        return _shown(options, inspect_model(options.model))
    except (ConfigError, EngineError) as error:
        return _failed(error)


def _answered(options: argparse.Namespace, find: Callable[[Settings], Finding]) -> int:
    """Print what a command finds in storage, or the one reason why it cannot."""
    from azure.core.exceptions import AzureError

    from studio.engine.errors import EngineError
    from studio.services.keys import VaultError

    settings = _settings()
    try:
        return _shown(options, find(settings))
    except (ConfigError, EngineError, VaultError) as error:
        return _failed(error)
    except AzureError as error:
        return _failed(ConfigError("STUDIO_STORAGE", [f"the storage account does not answer: {type(error).__name__}"]))


def _shown(options: argparse.Namespace, finding: Finding) -> int:
    print(json.dumps(finding.values, ensure_ascii=False) if options.json else finding.text)
    return 0


def _settings() -> Settings:
    try:
        settings = Settings.from_env(os.environ)
    except ConfigError as error:
        raise SystemExit(_failed(error)) from None
    configure_logging(as_json=settings.operation.logs_json)
    return settings


def _say_beside(text: str) -> None:
    """Tell the person who waits; standard output is the result's alone."""
    print(f"python -m studio: {text}", file=sys.stderr, flush=True)


def _failed(error: Exception) -> int:
    print(f"python -m studio: {error}", file=sys.stderr)
    return 1


def _stop_at_end_of_input(stop: threading.Event) -> None:
    """A worker that `serve` started ends with it, however that process ended."""
    sys.stdin.read()
    stop.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m studio",
        description="A web service that speaks the protocol of Azure ML Studio (classic).",
        epilog=_EPILOG,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (what, add) in _COMMANDS.items():
        add(commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=_EPILOG))
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
    parser.add_argument(
        "--processes",
        type=int,
        choices=range(1, 65),
        metavar="N",
        help="processes that answer requests at one port (default: STUDIO_PROCESSES, else 1)",
    )
    parser.set_defaults(command=_serve)


def _add_work(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--attached", action="store_true", help="stop when standard input closes")
    parser.set_defaults(command=_work)


def _add_publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", type=Path, metavar="EXPERIMENT.toml")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="FILE",
        help="data for the first model (csv, tsv, nh.csv, nh.tsv, arff)",
    )
    parser.add_argument(
        "--endpoint", action="append", default=[], metavar="NAME", help="further endpoint; may be repeated"
    )
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        type=_parameter,
        metavar="NAME=VALUE",
        help="web service parameter for the first training; may be repeated",
    )
    _add_json(parser, "print one JSON object, with the keys")
    parser.set_defaults(command=_publish)


def _parameter(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got '{text}'")
    return name, value


def _add_endpoints(parser: argparse.ArgumentParser) -> None:
    _add_json(parser, "print a JSON list")
    parser.set_defaults(command=_endpoints)


def _add_models(parser: argparse.ArgumentParser) -> None:
    _add_endpoint(parser)
    parser.add_argument(
        "--put-back", metavar="DIGEST", help="serve this one of its past models again; the first digits are enough"
    )
    _add_json(parser, "print a JSON list")
    parser.set_defaults(command=_models)


def _add_keys(parser: argparse.ArgumentParser) -> None:
    _add_endpoint(parser)
    parser.add_argument(
        "--rotate", choices=("primary", "secondary"), help="draw this key anew; the other goes on working"
    )
    _add_json(parser, "print one JSON object, with the keys")
    parser.set_defaults(command=_keys)


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    _add_endpoint(parser)
    _add_json(parser, "print a JSON list")
    parser.set_defaults(command=_jobs)


def _add_inspect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL.ilearner")
    _add_json(parser, "print one JSON object")
    parser.set_defaults(command=_inspect)


def _add_endpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", metavar="WEB_SERVICE", help="name or id of the web service")
    parser.add_argument(
        "name", nargs="?", default="default", metavar="ENDPOINT", help="name of the endpoint (default: %(default)s)"
    )


def _add_json(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--json", action="store_true", help=what)


_COMMANDS = {
    "publish": ("publish an experiment with its first data as a training and a predictive web service", _add_publish),
    "serve": ("answer requests, with workers beside", _add_serve),
    "work": ("run batch jobs, on as many machines as there are", _add_work),
    "endpoints": ("list web services and their endpoints", _add_endpoints),
    "models": ("list the models that an endpoint serves and served, or put one back", _add_models),
    "keys": ("show an endpoint's keys, or draw one anew", _add_keys),
    "jobs": ("list an endpoint's batch jobs", _add_jobs),
    "inspect": ("describe a model file; needs no settings", _add_inspect),
}
_EPILOG = "STUDIO_STORAGE, STUDIO_URL and STUDIO_SECRET say where all state is; see docs/operations.md."


if __name__ == "__main__":
    sys.exit(main())
