"""How truth is spelled in a file and in a call: `true`, `false` in any mix of cases, `1`, `0`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product


def _in_any_case(word: str) -> Iterable[str]:
    return map("".join, product(*((letter, letter.upper()) for letter in word)))


TRUE, FALSE = "True", "False"  # as the classic service wrote them
SPELLINGS: Mapping[str, bool] = {
    **dict.fromkeys((*_in_any_case("true"), "1"), True),
    **dict.fromkeys((*_in_any_case("false"), "0"), False),
}
