"""Numbers as the classic service wrote them, one by one and many at once."""

from __future__ import annotations

from math import inf, nan
from random import Random

import pytest

from studio.engine.number_text import number_text, number_texts


@pytest.mark.parametrize(
    "odd",
    [[], [nan], [inf, -inf], [-0.0], [0.0], [1e308, 1e308], [1e-300], [-1.5], [123456789012345680.0], [1.0, -1e-7]],
)
def test_many_numbers_are_written_as_each_is(odd: list[float]) -> None:
    random = Random(1)
    values = [*(random.uniform(-1, 1) * 10 ** random.randint(-12, 12) for _ in range(50)), *odd]

    assert number_texts(values) == [number_text(value) for value in values]
    assert number_texts(odd) == [number_text(value) for value in odd]
