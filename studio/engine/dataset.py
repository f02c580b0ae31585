"""
Reads a training file into numbers: features, positions of category levels, labels.

pyarrow reads the file by path, column by column in native memory; no cell becomes a Python object, and no column is
there twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from studio.engine.arrow_columns import codes_of, numbers_of
from studio.engine.booleans import FALSE, SPELLINGS, TRUE
from studio.engine.csv_file import CsvFile, first_fault
from studio.engine.errors import ModuleError
from studio.engine.features import FeatureColumn, Features
from studio.engine.filling import complete_rows
from studio.engine.labels import read_labels
from studio.engine.schema import ColumnType, Schema
from studio.engine.task import Task

_TRAIN = "Train Model"
_BLOCK_BYTES = 4 << 20
_SEARCHED_AT_ONCE = 1 << 20
_MAX_LEVELS = 20_000
_LEVELLED = pa.dictionary(pa.int32(), pa.string())
_ARROW_TYPES = {
    ColumnType.NUMERIC: pa.float64(),
    ColumnType.INTEGER: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.CATEGORICAL: _LEVELLED,
}

_Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Dataset:
    """
    A training file's columns in native memory; rows that lack a value which they must have are left out.

    A categorical feature holds positions in its `levels`, which are sorted and distinct. `labels` has an entry per row
    and holds positions in `classes`, or values where there are none. Of two classes the positive one is the second, and
    `schema.positive_label` is never None; several are sorted. `kept` tells which rows of the file are here; None: all.
    """

    schema: Schema
    features: Features
    levels: Mapping[str, tuple[str, ...]]
    labels: NDArray[Any]
    classes: tuple[str, ...]
    kept: _Mask | None = None

    @property
    def n_rows(self) -> int:
        """Rows of the file, its header not counted."""
        return len(self.labels) if self.kept is None else len(self.kept)

    def in_file(self, mask: _Mask) -> _Mask:
        """Turn a mask of the rows that are here into one of all rows of the file."""
        if self.kept is None:
            return mask
        spread = np.zeros(self.n_rows, np.bool_)
        spread[self.kept] = mask
        return spread


def read_dataset(file: CsvFile, schema: Schema, task: Task, *, threads: int) -> Dataset:
    """
    Read a training file.

    Raises:
        ModuleError: The file is empty, lacks a column, holds a cell that cannot be read, its labels are not what the
            task needs, a categorical column has more levels than a model can hold, or no row has all values that a
            row must have; names line and column where there is one.
    """
    table = _read_table(file, schema, task, threads)
    kept = complete_rows(schema.demanded, table) if schema.demanded else None
    labels, classes = read_labels(file, schema, task, table.column(schema.label), kept)
    if task is Task.TWO_CLASS:
        schema = replace(schema, positive_label=classes[1])
    columns, levels = [], {}
    for name in schema.features:
        if schema.columns[name].is_text:
            column, levels[name] = _levelled(name, table.column(name), schema.fills.get(name), kept)
        else:
            column = FeatureColumn(numbers_of(table.column(name)), fill=schema.fills.get(name))  # type: ignore[arg-type]
        columns.append(column)
    rows = None if kept is None else np.flatnonzero(kept).astype(np.int32)
    return Dataset(schema, Features(columns, rows), levels, labels, classes, kept)


def _read_table(file: CsvFile, schema: Schema, task: Task, threads: int) -> Any:
    """Read the columns that count: texts as an Arrow dictionary, all others as floats."""
    types = {name: _ARROW_TYPES[schema.columns[name]] for name in (*schema.features, schema.label)}
    if task.has_classes and schema.columns[schema.label].is_number:
        types[schema.label] = _LEVELLED
    convert = arrow_csv.ConvertOptions(
        column_types=types,
        include_columns=list(types),
        null_values=list(schema.missing),
        strings_can_be_null=True,
        true_values=[spelling for spelling, value in SPELLINGS.items() if value],
        false_values=[spelling for spelling, value in SPELLINGS.items() if not value],
    )
    checked = [name for name, kind in types.items() if kind is not _LEVELLED]
    names = None if file.has_header else list(file.header)
    read = arrow_csv.ReadOptions(use_threads=threads > 1, block_size=_BLOCK_BYTES, column_names=names)
    parse = arrow_csv.ParseOptions(delimiter=file.delimiter, newlines_in_values=_holds_quotes(file.path))
    try:
        table = arrow_csv.read_csv(file.path, read, parse, convert)
    except pa.ArrowInvalid as problem:
        raise first_fault(file, schema, checked, str(problem)) from problem
    for at, (name, kind) in enumerate(types.items()):
        if kind == pa.bool_():
            table = table.set_column(at, name, _plain(table.column(name), is_text=name == schema.label))
        elif kind is not _LEVELLED and not _holds_numbers(table.column(name), schema.columns[name]):
            raise first_fault(file, schema, checked, f"column '{name}' holds something else than numbers")
    return table


def _plain(booleans: Any, *, is_text: bool) -> Any:
    if not is_text:
        return booleans.cast(pa.float64())
    return compute.if_else(booleans, TRUE, FALSE).dictionary_encode()


def _holds_quotes(path: Path) -> bool:
    """Whether a file has a quote; without one no cell holds a line's end, and reading is faster."""
    block = bytearray(_SEARCHED_AT_ONCE)
    with path.open("rb", buffering=0) as file:
        return any(block.find(b'"', 0, n_read) >= 0 for n_read in iter(lambda: file.readinto(block), 0))


def _holds_numbers(column: Any, kind: ColumnType) -> bool:
    return all(_are_numbers(values, kind) for values in numbers_of(column))


def _are_numbers(values: NDArray[np.float64], kind: ColumnType) -> bool:
    is_fit = np.isfinite(values) if kind is ColumnType.NUMERIC else np.trunc(values) == values
    return bool((is_fit | np.isnan(values)).all()) and not bool(np.isinf(values).any())


def _levelled(
    name: str, column: Any, fill: str | float | None, kept: _Mask | None
) -> tuple[FeatureColumn, tuple[str, ...]]:
    found, codes = codes_of(column, kept)
    levels = sorted({*found, str(fill)} if fill is not None else found)
    if len(levels) > _MAX_LEVELS:
        advice = "drop the column or declare it Numeric"
        raise ModuleError(_TRAIN, 14, f"column '{name}' has {len(levels)} levels; at most {_MAX_LEVELS}: {advice}")
    position = {level: float(at) for at, level in enumerate(levels)}
    absent = np.nan if fill is None else position[str(fill)]
    # One entry per level found, and one for a missing cell at the end, where `ABSENT` finds it as an index.
    values = np.array([*(position[level] for level in found), absent], np.float64)
    return FeatureColumn(codes, values), tuple(levels)
