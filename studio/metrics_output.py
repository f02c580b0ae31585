"""The metrics table in the format that a caller's blob name asks for; the engine writes CSV with a header."""

from __future__ import annotations

_MISSING_IN_ARFF = {"NaN", "Infinity", "-Infinity"}  # ARFF has no spelling for them but the missing value


def in_format(metrics_csv: bytes, extension: str) -> bytes:
    """
    Rewrite a CSV of plain numbers, whose cells hold no comma, tab or quote.

    Args:
        extension: `.csv`, `.tsv`, `.nh.csv`, `.nh.tsv` (no header row) or `.arff`.
    """
    if extension == ".csv":
        return metrics_csv
    names, *rows = [line.split(",") for line in metrics_csv.decode().splitlines() if line]
    if extension == ".arff":
        return _arff(names, rows)
    separator = "\t" if extension.endswith(".tsv") else ","
    table = rows if extension.startswith(".nh.") else [names, *rows]
    return "".join(f"{separator.join(row)}\n" for row in table).encode()


def _arff(names: list[str], rows: list[list[str]]) -> bytes:
    head = ["@RELATION metrics", *(f"@ATTRIBUTE '{name}' NUMERIC" for name in names), "@DATA"]
    data = [",".join("?" if cell in _MISSING_IN_ARFF else cell for cell in row) for row in rows]
    return "".join(f"{line}\n" for line in [*head, *data]).encode()
