"""Asks a scoring endpoint, as any client of the classic protocol does, and shows two answers side by side."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import requests

from local.errors import LocalError
from local.publication import PublishedEndpoint
from shared.errors import ProtocolMismatch
from shared.wire import Table, scoring_answer, scoring_request

_TIMEOUT_S = 20.0
_LABEL = "income"
_SHOWN = ("age", "occupation", "relationship")


@dataclass(frozen=True)
class Answer:
    """What the model says of one row."""

    label: str
    probability: str

    def __str__(self) -> str:
        return f"{self.label} ({float(self.probability):.3f})"


def sample_rows(holdout: Path, per_label: int) -> Table:
    """Return the first rows of each label of a holdout file, the label included."""
    with holdout.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    at = header.index(_LABEL)
    labels = sorted({row[at] for row in rows})
    sample = [row for label in labels for row in islice((r for r in rows if r[at] == label), per_label)]
    return Table(tuple(header), sample)


def ask(endpoint: PublishedEndpoint, rows: Table) -> list[Answer]:
    """
    Score rows; their label stays here.

    Raises:
        LocalError: The endpoint did not answer as the protocol says.
    """
    at = rows.columns.index(_LABEL)
    features = Table(_without(rows.columns, at), [_without(row, at) for row in rows.rows])
    try:
        answer = requests.post(
            f"{endpoint.api_location}/execute?api-version=2.0&details=true",
            json=scoring_request(features),
            headers={"Authorization": f"Bearer {endpoint.key.reveal()}"},
            timeout=_TIMEOUT_S,
        )
        answer.raise_for_status()
        scored = scoring_answer(answer.json())
        labels, probabilities = scored.column("Scored Labels"), scored.column("Scored Probabilities")
    except (requests.RequestException, ValueError, ProtocolMismatch) as error:
        raise LocalError(f"the live endpoint did not score: {error}") from error
    return [Answer(str(label), str(p)) for label, p in zip(labels, probabilities, strict=True)]


def side_by_side(rows: Table, before: Sequence[Answer], after: Sequence[Answer]) -> tuple[list[str], list[list[str]]]:
    """Return the columns and cells of a table that shows each row with its label and both answers."""
    columns = [*_SHOWN, _LABEL, "before", "after"]
    known = [rows.column(name) for name in (*_SHOWN, _LABEL)]
    cells = [[str(c) for c in facts] for facts in zip(*known, strict=True)]
    return columns, [[*c, str(b), str(a)] for c, b, a in zip(cells, before, after, strict=True)]


def _without(cells: Sequence[str | None], at: int) -> tuple[str, ...]:
    return tuple(str(cell) for cell in (*cells[:at], *cells[at + 1 :]))
