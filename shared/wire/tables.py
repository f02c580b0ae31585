"""Request-response scoring: rows under named columns, there and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.errors import ProtocolMismatch
from shared.wire.reading import Body, read_object

Cell = str | None


@dataclass(frozen=True)
class Table:
    """Rows under named columns; every cell is text, or None where it is missing."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]

    def column(self, name: str) -> list[Cell]:
        """Return one column's cells in row order."""
        if name not in self.columns:
            raise ProtocolMismatch("table", f"a column '{name}' among {list(self.columns)}", None)
        at = self.columns.index(name)
        return [row[at] for row in self.rows]


def scoring_request(table: Table, *, input_name: str = "input1", parameters: Mapping[str, str] | None = None) -> Body:
    """Write the table form of a scoring call."""
    inputs = {input_name: {"ColumnNames": list(table.columns), "Values": [list(row) for row in table.rows]}}
    return {"Inputs": inputs, "GlobalParameters": dict(parameters or {})}


def scoring_answer(body: object, output_name: str | None = None) -> Table:
    """
    Read the answer to a scoring call made with `details=true`.

    Args:
        output_name: The output to read; the only one when None.
    """
    results = read_object(read_object(body, "scoring answer").get("Results"), "Results")
    if output_name is None and len(results) != 1:
        raise ProtocolMismatch("Results", "exactly one output", results)
    name = output_name or next(iter(results))
    value = read_object(read_object(results.get(name), f"Results.{name}").get("value"), f"Results.{name}.value")
    names, rows = value.get("ColumnNames"), value.get("Values")
    if not isinstance(names, list) or not isinstance(rows, list):
        raise ProtocolMismatch(f"Results.{name}.value", "ColumnNames and Values", value)
    if any(not isinstance(row, list) or len(row) != len(names) for row in rows):
        raise ProtocolMismatch(f"Results.{name}.value.Values", f"rows of {len(names)} cells", rows)
    return Table(tuple(map(str, names)), rows)
