"""Approval tokens: ours, in time, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.deciding.approval_token import Claim, read, signed
from shared.secret import Secret

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECRET = Secret("s" * 32)
CLAIM = Claim("census-1", NOW, NOW + timedelta(hours=1), "ada@example.org")


def test_a_token_says_what_was_signed() -> None:
    assert read(signed(CLAIM, SECRET), SECRET, NOW) == CLAIM


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "x.y",
        signed(CLAIM, SECRET)[:-2],
        signed(CLAIM, SECRET) + "x",
        "x" + signed(CLAIM, SECRET),
        signed(CLAIM, SECRET).replace(".", ""),
        signed(CLAIM, Secret("t" * 32)),
        signed(CLAIM, SECRET).partition(".")[0] + "." + signed(replace(CLAIM, to="eve"), SECRET).partition(".")[2],
    ],
)
def test_a_token_that_was_not_signed_as_it_stands_says_nothing(token: str) -> None:
    assert read(token, SECRET, NOW) is None


@pytest.mark.parametrize(("seconds", "counts"), [(3599, True), (3600, False)])
def test_a_token_expires(seconds: int, counts: bool) -> None:
    assert (read(signed(CLAIM, SECRET), SECRET, NOW + timedelta(seconds=seconds)) is not None) is counts


def test_a_short_secret_signs_nothing_and_opens_nothing() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        signed(CLAIM, Secret("short"))
    assert read(signed(CLAIM, SECRET), Secret("short"), NOW) is None
    assert read(signed(CLAIM, SECRET), Secret(""), NOW) is None
