"""The whole environment on real parts, with every example model, for the tests of the loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from running_loop import Loop, running_loop


@pytest.fixture(scope="session")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    with running_loop(tmp_path_factory.mktemp("loop"), rentals=True) as loop:
        yield loop
