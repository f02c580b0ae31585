"""Probabilities out of an answer, in either wire format, and the check that all servers give the same."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence

from benchmarks.errors import BenchError
from benchmarks.server import Target

_TOLERANCE = 1e-6


def probabilities(body: bytes) -> list[float]:
    """Read the probability of each row: the last cell of our service's rows, the numbers of the peer's list."""
    answer = json.loads(body)
    if isinstance(answer, dict):
        return [float(row[-1]) for row in answer["Results"]["output1"]["value"]["Values"]]
    return [float(probability) for probability in answer]


def is_same(found: float, expected: float) -> bool:
    """Whether two probabilities are of the same model."""
    return abs(found - expected) <= _TOLERANCE


def check(target: Target, expected: Sequence[float]) -> None:
    """
    Ask for one row and for 100 rows.

    Raises:
        BenchError: A status other than 200, or a probability further than 1e-6 from the expected one.
    """
    for n_rows in target.bodies:
        status, body = target.ask(n_rows)
        if status != http.client.OK:
            raise BenchError(f"{target.name} answered {status} to {n_rows} row(s): {body[:300]!r}")
        found = probabilities(body)
        if len(found) != n_rows or not all(map(is_same, found, expected)):
            raise BenchError(f"{target.name} scores {n_rows} row(s) differently: {found[:3]} for {expected[:3]}")
