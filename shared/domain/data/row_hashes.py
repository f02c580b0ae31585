"""
Hashes of rows, equal where two rows say the same: numbers by value, missing cells alike, columns in contract order.

They are comparable within one process only: Python seeds the hash of texts anew in each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from shared.domain.data.contract import Contract, Kind
from shared.domain.data.csv_text import CsvProblem, CsvRows

RowHashes = frozenset[int]


def row_hashes(columns: Sequence[Sequence[str]], contract: Contract) -> Iterator[int]:
    """Hash rows given as columns in the contract's order."""
    said = [
        _said(cells, column.kind, contract.missing) for column, cells in zip(contract.columns, columns, strict=True)
    ]
    return map(hash, zip(*said, strict=True))


def holdout_hashes(chunks: Iterable[bytes], contract: Contract) -> RowHashes:
    """
    Hash every row of a holdout, a comma-separated file.

    Raises:
        CsvProblem: It is no CSV, or lacks a column of the contract.
    """
    return frozenset(chain.from_iterable(_hashed(chunks, contract)))


def count_shared(
    chunks: Iterable[bytes], contract: Contract, holdout: RowHashes, progress: Callable[[], None] = lambda: None
) -> int:
    """
    Count the rows of a comma-separated file that are also in a holdout.

    Args:
        progress: Called again and again, since a large file takes long.

    Raises:
        CsvProblem: It is no CSV, or lacks a column of the contract.
    """
    count = 0
    for hashes in _hashed(chunks, contract):
        progress()
        count += sum(number in holdout for number in hashes)
    return count


def _hashed(chunks: Iterable[bytes], contract: Contract) -> Iterator[Iterator[int]]:
    """Hash the rows of a comma-separated file, some thousands at once; ragged ones are passed over."""
    rows = CsvRows(chunks)
    header = rows.header() or []
    for name in contract.names:
        if name not in header:
            raise CsvProblem(1, f"no column '{name}'", "the contract's columns", "header")
    order = [header.index(name) for name in contract.names]
    for batch in rows.batches():
        whole = [row for row in batch.rows if len(row) == len(header)]
        yield row_hashes([[row[at] for row in whole] for at in order], contract)


def _said(cells: Sequence[str], kind: Kind, missing: frozenset[str]) -> Sequence[float | str | None]:
    texts = list(map(str.strip, cells))
    if missing.isdisjoint(texts):
        if kind is Kind.CATEGORY:
            return texts
        try:
            return list(map(float, texts))
        except ValueError:
            pass
    return [None if text in missing else text if kind is Kind.CATEGORY else _number(text) for text in texts]


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
