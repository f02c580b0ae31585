"""What may be written on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from relearn import acts, commands
from relearn.commands import Command

_EPILOG = """
Address and key: --url or RELEARN_URL; RELEARN_KEY, --key-file, or a prompt. With none of them the environment that
`make up` runs in this checkout is used.

Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 not found, 4 key refused, 5 refused by the function app,
6 no answer.
"""


def parser() -> argparse.ArgumentParser:
    """Build the parser; each command is found in `options.command` as a function."""
    top = argparse.ArgumentParser(
        prog="relearn",
        description="Ask the function app what runs, serves and was decided, and decide.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    listing = _listing()
    subparsers = top.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, command: Command, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        words = (command.__doc__ or "").strip()
        added = subparsers.add_parser(name, parents=[_common(), *parents], help=words, description=words)
        added.set_defaults(command=command)
        return added

    runs = add("runs", commands.runs, listing)
    runs.add_argument("id", nargs="?", help="show this run")
    runs.add_argument("--open", action="store_true", help="only runs that have not ended")
    datasets = add("datasets", commands.datasets, listing)
    datasets.add_argument("--state", help="only files in this state, for example QUARANTINED")
    explain = add("explain", commands.explain)
    release = add("release", acts.release, _reasoned())
    for named in (explain, release):
        named.add_argument("file", help="its name, with its model's folder")
        named.add_argument("--model", help="whose file it is, where the name does not say")
    retrain = add("retrain", acts.retrain, _reasoned(required=False))
    retrain.add_argument("model", metavar="MODEL", type=_model)
    retrain.add_argument("--file", help="train this file (default: all that wait)")
    retrain.add_argument("--force", action="store_true", help="although its bytes trained before; give a reason")
    models = add("models", commands.models)
    models.add_argument("name", nargs="?", type=_model, help="show this model")
    serving = add("serving", commands.serving)
    serving.add_argument("name", metavar="MODEL", type=_model)
    serving.add_argument(
        "--at", metavar="TIME", help="an instant with its zone, as 2026-01-31T12:00:00Z (default: now)"
    )
    decisions = add("decisions", commands.decisions, listing)
    decisions.add_argument("--csv", action="store_true", help="export as CSV")
    verify = add("verify", commands.verify)
    verify.add_argument("--model", help="only this model")
    gate = add("gate", commands.gate)
    gate.add_argument("model", metavar="MODEL", type=_model)
    gate.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a changed key, as margin=0.02")
    gate.add_argument("--limit", type=_count, default=50, help="the newest runs, at most so many (default: 50)")
    add("doctor", commands.doctor)
    report = add("report", commands.report)
    report.add_argument("id", metavar="RUN")
    report.add_argument("--format", choices=("md", "html", "json"), default="md")
    for act in (acts.approve, acts.reject, acts.override, acts.cancel, acts.retry):
        deciding = add(act.__name__, act, _reasoned())
        deciding.add_argument("id", metavar="RUN")
        if act is acts.override:
            deciding.add_argument(
                "--until", metavar="TIME", help="when the model before it comes back (default: with the next promotion)"
            )
    rollback = add("rollback", acts.rollback, _reasoned())
    rollback.add_argument("model", metavar="MODEL", type=_model)
    rollback.add_argument("--to", metavar="RUN", help="a run that has served, `initial`, or a decision's number")
    return top


def _reasoned(*, required: bool = True) -> argparse.ArgumentParser:
    reasoned = argparse.ArgumentParser(add_help=False)
    reasoned.add_argument("--reason", required=required, help="why; it is kept with the decision")
    reasoned.add_argument("--by", help="who decides (or RELEARN_BY; default: your account's name)")
    return reasoned


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", help="the function app's address (or RELEARN_URL)")
    common.add_argument("--key-file", type=Path, help="a file that holds the function key (or RELEARN_KEY)")
    common.add_argument("--json", action="store_true", help="print the answer as JSON, for programs")
    return common


def _listing() -> argparse.ArgumentParser:
    listing = argparse.ArgumentParser(add_help=False)
    listing.add_argument("--model", help="only this model")
    listing.add_argument("--limit", type=_count, default=50, help="at most so many, newest first (default: 50)")
    listing.add_argument("--all", action="store_true", help="all of them, however many")
    return listing


def _model(text: str) -> str:
    folder, slash, file = text.partition("/")
    if slash:
        raise argparse.ArgumentTypeError(
            f"'{text}' names a file, where a model's name stands (`relearn models` lists them); "
            f"to train one file: relearn retrain {folder} --file {file}"
        )
    return text


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1, got '{text}'")
    return int(text)
