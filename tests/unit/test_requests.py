"""What a request's body and query say, and what is refused with which words."""

from __future__ import annotations

import json
from typing import Any

import azure.functions as func
import pytest

from shared.api.datasets import named
from shared.api.requests import Asked, asked, page
from shared.errors import RequestRefused

PLACE = "251625602399999:" + "0123456789abcdef" * 2


def request(body: Any = None, **query: str) -> func.HttpRequest:
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return func.HttpRequest(method="POST", url="https://app.example/api", params=query, body=data)


def test_a_body_says_who_asks_why_and_for_what() -> None:
    body = {"by": "ann", "reason": "a fix", "dataset": "a.csv", "force": True, "more": 1}

    assert asked(request(body)) == Asked("ann", "a fix", dataset="a.csv", force=True)
    assert asked(request()) == Asked("", "")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "the body is no JSON object"),
        ([1], "the body is no JSON object"),
        ({"by": 1}, "`by` has to be a text"),
        ({"dataset": ["a.csv"]}, "`dataset` has to be a text"),
        ({"force": "yes"}, "`force` has to be true or false"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(body: Any, said: str) -> None:
    with pytest.raises(RequestRefused, match=said) as refused:
        asked(request(body))
    assert refused.value.status == 400


def test_a_page_is_a_limit_and_a_place() -> None:
    assert page(request()) == (100, "")
    assert page(request(limit="7", after=PLACE)) == (7, PLACE)


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "1001"}, {"limit": "-1"}, {"limit": "ten"}, {"limit": "²"}]
)
def test_a_limit_out_of_range_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(RequestRefused, match="`limit` has to be a number from 1 to 1000"):
        page(request(**query))


@pytest.mark.parametrize(
    "route",
    [
        {"path": "census/2026/may 1.csv/explain"},
        {"path": "census%2F2026%2Fmay%201.csv/explain"},
        {"name": "census/2026/may 1.csv"},
        {"name": "census%2F2026%2Fmay%201.csv"},
    ],
)
def test_a_file_in_folders_is_named_with_and_without_escapes(route: dict[str, str]) -> None:
    assert named(func.HttpRequest("GET", "https://x", route_params=route, body=b""), "explain") == (
        "census/2026/may 1.csv"
    )


@pytest.mark.parametrize("path", ["", "explain", "census/a.csv", "census/a.csv/release", "census/a.csv/explain/"])
def test_an_address_that_says_nothing_to_be_done_is_refused(path: str) -> None:
    with pytest.raises(RequestRefused, match=r"ask GET /api/datasets/\{folder/name\}/explain") as refused:
        named(func.HttpRequest("GET", "https://x", route_params={"path": path}, body=b""), "explain")
    assert refused.value.status == 404


def test_a_place_that_no_page_gave_is_refused() -> None:
    with pytest.raises(RequestRefused, match="`after` has to be the `next` of the page before"):
        page(request(after="x' or RowKey ne '"))
