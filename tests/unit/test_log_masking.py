"""Masking in log lines: quick for lines without credentials, and the same for lines with them."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.logs import _CREDENTIAL, event, masked, surprise

LOG = logging.getLogger("tests.masking")
PIECES = ["sig=", "SIG=", "AccountKey=", "SharedAccessSignature=", "Bearer ", "bearer\n", "bearer", "key", "=", "&"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://a/b?sv=1&sig=abc%3D&se=2", "https://a/b?sv=1&sig=****&se=2"),
        ("AccountName=a;AccountKey=abc==;X=1", "AccountName=a;AccountKey=****;X=1"),
        ("SHAREDACCESSSIGNATURE=abc", "SHAREDACCESSSIGNATURE=****"),
        ("Authorization: bEaReR abc", "Authorization: bEaReR ****"),
        ("the bearer", "the bearer"),
        ("nothing to hide", "nothing to hide"),
        ("", ""),
    ],
)
def test_credentials_are_cut_out_and_nothing_else_is(text: str, shown: str) -> None:
    assert masked(text) == shown


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5)))
def test_the_quick_look_never_spares_a_credential(pieces: list[str]) -> None:
    text = "".join(pieces)

    assert masked(text) == _CREDENTIAL.sub(r"\1****", text)


def test_an_event_is_one_line_of_json_without_its_credentials(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    event(LOG, "blob.refused", url="https://a/b?sig=abc", why=ValueError("größer"), missing=None)

    assert caplog.messages == ['blob.refused {"url": "https://a/b?sig=****", "why": "größer"}']


def test_a_surprise_is_an_event_that_says_where_it_was_raised(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("https://a/b?sig=abc")
    except ValueError:
        surprise(LOG, "run.stuck", run_id="r")

    (record,) = caplog.records
    name, _, fields = record.getMessage().partition(" ")
    said = json.loads(fields)
    assert (name, record.levelname, record.exc_info, said["run_id"]) == ("run.stuck", "ERROR", None, "r")
    assert "test_log_masking.py" in said["trace"]
    assert said["trace"].endswith("ValueError: https://a/b?sig=****\n")
