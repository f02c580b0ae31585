"""How threads wait: said before the runtime loads, and not over the head of somebody who said otherwise."""

from __future__ import annotations

import os

import pytest

from studio.engine.openmp import wait_briefly


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("passive", "1000")),
        ({"GOMP_SPINCOUNT": "5"}, ("passive", "5")),
        ({"OMP_WAIT_POLICY": "active"}, ("active", None)),
    ],
)
def test_threads_wait_briefly_unless_the_environment_says_how(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], expected: tuple[str, str | None]
) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    wait_briefly()

    assert (os.environ.get("OMP_WAIT_POLICY"), os.environ.get("GOMP_SPINCOUNT")) == expected
