"""
The local environment's commands.

    python -m local demo [--data FILE]
    python -m local up [--port N] [--with rentals]
    python -m local drop FILE [--model census] [--name NAME]
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from local import demo, up
from local.drop import drop, folder_of
from local.environment import running_in
from local.errors import LocalError
from local.places import STATE
from local.programs import HostKind
from local.timeline import Timeline

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; whatever a person must put right is one sentence on stderr."""
    options = _parser().parse_args(arguments)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIGINT too: a script's shell may have it ignored
        signal.signal(name, _interrupt)
    try:
        return _run(options)
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    if options.command == "demo":
        return demo.run(Timeline(), data=options.data, host=HostKind(options.host))
    if options.command == "up":
        return up.run(
            Timeline(),
            options.state.resolve(),
            host=HostKind(options.host),
            port=options.port,
            rentals=options.examples == "rentals",
        )
    running = running_in(options.state)
    folder = folder_of(running.models_file, options.model)
    name = options.name or options.file.name
    drop(running.storage, options.file, folder, name)
    print(f"dropped {options.file} as {folder}/{name}; the terminal of `make up` says what becomes of it")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="Relearn on one machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    host = argparse.ArgumentParser(add_help=False)
    host.add_argument("--host", choices=[kind.value for kind in HostKind], default=HostKind.LOCAL.value)
    state = argparse.ArgumentParser(add_help=False)
    state.add_argument("--state", type=Path, default=STATE, help="the folder that keeps data between runs of `up`")
    show = commands.add_parser("demo", parents=[host], help="drop files and show what becomes of each")
    show.add_argument("--data", type=Path, help="a CSV file with the columns of UCI Adult, instead of synthetic rows")
    keep = commands.add_parser("up", parents=[host, state], help="start everything and keep it running")
    keep.add_argument("--port", type=_port, help="the functions host's port")
    keep.add_argument("--with", dest="examples", choices=["rentals"], help="two more models: a number, several classes")
    put = commands.add_parser("drop", parents=[state], help="drop a training file into what `up` runs")
    put.add_argument("file", type=Path, help="a CSV file")
    put.add_argument("--model", default="census", help="the model it trains (default: census)")
    put.add_argument("--name", help="what the file is called in the container (default: its own name)")
    return parser


def _port(text: str) -> int:
    if not text.isdigit() or not 1024 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 1024 to 65535, got '{text}'")
    return int(text)


def _interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
