"""
Writes the data contract that a good training file meets: `python -m shared.infer_contract FILE.csv --label income`.

Put its output beside `models.toml` and name it there: `contract = "census.contract.toml"`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from shared.declarations.contract_file import contract_toml
from shared.domain.data.contract import SEPARATORS
from shared.domain.data.csv_text import CsvProblem
from shared.domain.data.inference import infer
from shared.domain.task import Task

_CHUNK = 2**20  # bytes


def main(arguments: Sequence[str] | None = None) -> int:
    """Infer one contract and write it to stdout; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.infer_contract", description=__doc__)
    parser.add_argument("file", type=Path, help="a CSV file that is known to be good")
    parser.add_argument("--label", default="", help="the column to be predicted (default: the last one)")
    parser.add_argument("--task", choices=[task.value for task in Task], help="default: read off the label")
    parser.add_argument("--positive", default="", help="the positive class of two (default: the rarer one)")
    parser.add_argument("--separator", choices=list(SEPARATORS), default="", help="default: read off the header")
    options = parser.parse_args(arguments)
    task = Task(options.task) if options.task else None
    try:
        contract = infer(
            _chunks(options.file),
            label=options.label,
            task=task,
            positive=options.positive,
            separator=options.separator,
        )
    except OSError as unread:
        sys.stderr.write(f"{options.file}: {unread.strerror}\n")
        return 1
    except CsvProblem as problem:
        sys.stderr.write(f"{options.file}, line {problem.line}: found {problem.found}, expected {problem.expected}\n")
        return 1
    sys.stdout.write(contract_toml(contract))
    return 0


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


if __name__ == "__main__":
    sys.exit(main())
