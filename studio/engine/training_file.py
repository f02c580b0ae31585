"""A training file of any format, as the delimited file that the fast reader understands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.engine.arff import ArffFile, as_csv
from studio.engine.csv_file import CsvFile, open_csv
from studio.engine.schema import Schema


@contextmanager
def open_training_file(path: Path, extension: str, schema: Schema) -> Iterator[CsvFile]:
    """
    Open a file for the time of a training.

    Args:
        extension: `.arff`, or as for `open_csv`.

    Raises:
        ModuleError: The kind is unknown, the file is empty or cannot be taken apart, or a column is missing.
    """
    if extension.lower().lstrip(".") != "arff":
        yield open_csv(path, extension, schema)
        return
    with as_csv(ArffFile(path), schema.missing[0] if schema.missing else "") as converted:
        yield open_csv(converted, ".csv", schema)
