"""What each refusal of the protocol calls for, and how long the pauses are."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from shared.domain.lifecycle.remedies import Remedy, is_given_up, pause_after, remedy_of


@pytest.mark.parametrize(
    ("code", "status", "remedy"),
    [
        ("RequestThrottled", 503, Remedy.RETRY),
        ("InitializingContainers", 503, Remedy.RETRY),
        ("ScoreRequestTimeout", 408, Remedy.RETRY),
        ("BackendScoreTimeout", 504, Remedy.RETRY),
        ("", None, Remedy.RETRY),  # no answer at all
        ("", 429, Remedy.RETRY),
        ("", 502, Remedy.RETRY),
        ("SomethingNew", 500, Remedy.RETRY),
        ("", 200, Remedy.RETRY_BRIEFLY),  # a body that is no JSON
        ("ScoreRequestUnauthorized", 401, Remedy.RETRY_BRIEFLY),  # a new endpoint's key spreads slowly
        ("", 401, Remedy.RETRY_BRIEFLY),
        ("InvalidBlob", 400, Remedy.FRESH_TOKEN),
        ("ExpiryTimeInThePast", 400, Remedy.FRESH_TOKEN),
        ("InputParseError", 400, Remedy.QUARANTINE),
        ("ModuleExecutionError", 400, Remedy.QUARANTINE),
        ("ModelOutputMetadataMismatch", 409, Remedy.STOP),
        ("OutOfMemoryLimit", 413, Remedy.STOP),
        ("ModelPackageFormatError", 500, Remedy.STOP),  # the code knows better than the status
        ("MissingRequiredGlobalParameters", 400, Remedy.STOP),
        ("", 302, Remedy.STOP),
        ("SomethingNew", 400, Remedy.STOP),
    ],
)
def test_a_refusal_is_judged_by_code_then_by_status(code: str, status: int | None, remedy: Remedy) -> None:
    assert remedy_of(code, status) is remedy


def test_pauses_grow_up_to_a_limit_and_differ_between_runs() -> None:
    pauses = [pause_after(attempts, "census-1") for attempts in range(1, 40)]

    assert timedelta(seconds=11) <= pauses[0] <= timedelta(seconds=15)
    assert all(later > 1.4 * earlier for earlier, later in itertools.pairwise(pauses[:6]))
    assert max(pauses) <= timedelta(minutes=15)
    assert pause_after(9, "census-1") != pause_after(9, "census-2")
    assert pause_after(9, "census-1") == pause_after(9, "census-1")


def test_only_what_may_never_pass_is_given_up() -> None:
    assert is_given_up(Remedy.RETRY_BRIEFLY, 6)
    assert is_given_up(Remedy.FRESH_TOKEN, 6)
    assert not is_given_up(Remedy.RETRY_BRIEFLY, 5)
    assert not is_given_up(Remedy.RETRY, 1000)
