"""
Reads a training file into numbers: features, positions of category levels, labels.

pyarrow reads the file by path, column by column in native memory; no cell becomes a Python object.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from studio.engine.csv_file import CsvFile, first_fault, open_csv
from studio.engine.errors import ModuleError
from studio.engine.schema import ColumnType, Schema

_TRAIN = "Train Model"
_BLOCK_BYTES = 4 << 20
_MAX_LEVELS = 20_000
_ABSENT = -1  # position of a missing cell among the levels


@dataclass(frozen=True)
class Feature:
    """One column, `n_rows` long; a categorical one holds positions in `levels`, which are sorted and distinct."""

    values: NDArray[np.float64]
    levels: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Dataset:
    """
    A training file's columns in native memory.

    `labels` is `n_rows` long, True for `schema.positive_label`, which is never None here. Features are decoded one at a
    time, so that the file is never in memory twice.
    """

    schema: Schema
    table: Any
    labels: NDArray[np.bool_]
    negative_label: str

    @property
    def n_rows(self) -> int:
        """Rows of the file, its header not counted."""
        return len(self.labels)

    def feature(self, name: str) -> Feature:
        """
        Decode one column as 64-bit floats, NaN where a cell is missing and the schema fills nothing in.

        Raises:
            ModuleError: A categorical column has more levels than a model can hold.
        """
        fill = self.schema.fills.get(name)
        if self.schema.columns[name].is_text:
            return _levelled(name, self.table.column(name), fill)
        values = _values(self.table.column(name).chunks, np.float64, np.nan)
        return Feature(values if fill is None else np.where(np.isnan(values), fill, values).astype(np.float64))


def read_dataset(path: Path, extension: str, schema: Schema, *, threads: int) -> Dataset:
    """
    Read a training file; `extension` as for `open_csv`.

    Raises:
        ModuleError: The file is empty, lacks a column, holds a cell that cannot be read, or its labels are not of two
            kinds; names line and column where there is one.
    """
    file = open_csv(path, extension, schema)
    table = _read_table(file, schema, threads)
    for name in schema.features:
        if not schema.columns[name].is_text and not _holds_numbers(table.column(name), schema.columns[name]):
            raise first_fault(file, schema, f"column '{name}' holds something else than numbers")
    labels, positive, negative = _read_labels(file, schema, table.column(schema.label))
    return Dataset(replace(schema, positive_label=positive), table, labels, negative)


def _read_table(file: CsvFile, schema: Schema, threads: int) -> Any:
    types = {name: _arrow_type(schema.columns[name]) for name in schema.features}
    types[schema.label] = _arrow_type(ColumnType.CATEGORICAL)
    convert = arrow_csv.ConvertOptions(
        column_types=types,
        include_columns=list(types),
        null_values=list(schema.missing),
        strings_can_be_null=True,
    )
    names = None if file.has_header else list(file.header)
    read = arrow_csv.ReadOptions(use_threads=threads > 1, block_size=_BLOCK_BYTES, column_names=names)
    parse = arrow_csv.ParseOptions(delimiter=file.delimiter, newlines_in_values=True)
    try:
        return arrow_csv.read_csv(file.path, read, parse, convert)
    except pa.ArrowInvalid as problem:
        raise first_fault(file, schema, str(problem)) from problem


def _arrow_type(kind: ColumnType) -> Any:
    return pa.dictionary(pa.int32(), pa.string()) if kind.is_text else pa.float64()


def _holds_numbers(column: Any, kind: ColumnType) -> bool:
    return all(_are_numbers(_values([chunk], np.float64, 0), kind) for chunk in column.chunks)


def _are_numbers(values: NDArray[np.float64], kind: ColumnType) -> bool:
    is_fit = np.isfinite(values) if kind is ColumnType.NUMERIC else np.trunc(values) == values
    return bool((is_fit | np.isnan(values)).all()) and not bool(np.isinf(values).any())


def _levelled(name: str, column: Any, fill: str | float | None) -> Feature:
    found, codes = _codes(column)
    levels = sorted({*found, str(fill)} if fill is not None else found)
    if len(levels) > _MAX_LEVELS:
        advice = "drop the column or declare it Numeric"
        raise ModuleError(_TRAIN, 14, f"column '{name}' has {len(levels)} levels; at most {_MAX_LEVELS}: {advice}")
    position = {level: float(at) for at, level in enumerate(levels)}
    absent = np.nan if fill is None else position[str(fill)]
    # One entry per level found, and one for a missing cell at the end, where index -1 finds it.
    values = np.array([*(position[level] for level in found), absent], np.float64)
    return Feature(values[codes], tuple(levels))


def _read_labels(file: CsvFile, schema: Schema, column: Any) -> tuple[NDArray[np.bool_], str, str]:
    found, codes = _codes(column)
    unlabelled = np.flatnonzero(codes == _ABSENT)
    if len(unlabelled):
        line = file.line_of(int(unlabelled[0]))
        problem = f"label column '{schema.label}' is empty in {len(unlabelled)} row(s), first on line {line}"
        raise ModuleError(_TRAIN, 134, f"{problem}; label or remove them")
    if len(found) != 2:
        shown = ", ".join(repr(label[:40]) for label in sorted(found)[:5])
        problem = f"label column '{schema.label}' has {len(found)} different label(s) ({shown}) where 2 are needed"
        raise ModuleError(_TRAIN, 23 if len(found) > 2 else 54, problem)
    positive = schema.positive_label or _usual_positive(found)
    if positive not in found:
        problem = f"label column '{schema.label}' holds {sorted(found)} and never the positive label '{positive}'"
        raise ModuleError(_TRAIN, 23, problem)
    at = found.index(positive)
    return codes == at, positive, found[1 - at]


def _usual_positive(labels: list[str]) -> str:
    """Choose as Studio did. Source: docs/protocol.md."""
    return next((label for label in labels if label.lower() in ("true", "1")), max(labels))


def _codes(column: Any) -> tuple[list[str], NDArray[np.int32]]:
    """Return the distinct texts of a dictionary column, and for each row the position of its text or `_ABSENT`."""
    chunks = column.unify_dictionaries().chunks
    return chunks[0].dictionary.to_pylist(), _values([chunk.indices for chunk in chunks], np.int32, _ABSENT)


def _values(chunks: list[Any], kind: type[Any], missing: float) -> NDArray[Any]:
    """Join Arrow arrays into one numpy array, `missing` where there is no value; to_numpy() would look for pandas."""
    return np.concatenate([_chunk_values(chunk, kind, missing) for chunk in chunks])


def _chunk_values(chunk: Any, kind: type[Any], missing: float) -> NDArray[Any]:
    validity, data = chunk.buffers()
    values = np.frombuffer(data, kind, len(chunk), chunk.offset * np.dtype(kind).itemsize)
    if not chunk.null_count:
        return values
    bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
    return np.where(bits[chunk.offset : chunk.offset + len(chunk)], values, kind(missing))
