"""What the doctor says of an endpoint and of a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.diagnosis import MOST_SKEW, clock_diagnosis
from shared.retraining.showing.doctor import endpoint_problem
from shared.wire import Endpoint

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
RESOURCE = {"Name": "Model", "Location": {"RelativeLocation": "box/model.ilearner"}}
LIVE = {"Name": "live", "ApiLocation": "https://x/services/live", "PreventUpdate": False, "Resources": [RESOURCE]}


@pytest.mark.parametrize(
    ("change", "found", "remedy"),
    [
        ({}, "", ""),
        ({"Name": "default"}, "default endpoint", "add an endpoint"),
        ({"PreventUpdate": True}, "does not allow updates", "allow them"),
        ({"Resources": [{**RESOURCE, "Name": "Other"}]}, "it has 'Other'", "scoring.resource"),
        ({"Resources": []}, "it has none", "scoring.resource"),
    ],
)
def test_what_keeps_an_endpoint_from_being_updated_is_named(change: dict[str, Any], found: str, remedy: str) -> None:
    problem = endpoint_problem(Endpoint.from_wire({**LIVE, **change}), "Model")

    assert found in problem[0]
    assert remedy in problem[1]
    assert bool(problem[0]) is bool(change)


@pytest.mark.parametrize(
    ("skew", "ok"), [(timedelta(), True), (MOST_SKEW, True), (MOST_SKEW + timedelta(seconds=1), False)]
)
def test_clocks_may_differ_by_half_of_what_tokens_allow(skew: timedelta, ok: bool) -> None:
    assert clock_diagnosis("x", NOW + skew, NOW).ok is ok
    assert clock_diagnosis("x", NOW - skew, NOW).ok is ok


def test_a_clock_that_is_not_told_is_no_problem() -> None:
    assert clock_diagnosis("x", None, NOW).ok
