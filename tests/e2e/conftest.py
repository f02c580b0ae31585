"""The whole environment on real parts, once for all tests of the loop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from running_loop import Loop

from examples.census.files import derive
from examples.rentals.files import derive as derive_rentals
from local.api import FunctionApi
from local.environment import Environment, install_storage

ADULT = Path(__file__).parents[2].parent / "shared" / "data" / "adult" / "adult.csv"


@pytest.fixture(scope="session")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    folder = tmp_path_factory.mktemp("loop")
    data = ADULT if ADULT.is_file() else None
    if data is None:
        print("UCI Adult is not beside the project: the loop runs on synthetic rows")  # noqa: T201
    files = derive(folder / "files", data)
    install_storage(lambda line: None)
    with Environment(folder / "state", lambda line: None, rentals=True) as environment:
        addresses = environment.start(lambda _: files)
        with FunctionApi(addresses.functions_url, addresses.function_key) as api:
            yield Loop(environment, addresses, files, derive_rentals(folder / "rentals"), api)
