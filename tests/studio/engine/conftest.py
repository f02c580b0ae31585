"""Data and models for the engine's tests: the real Adult file where it is, else rows made by examples/census."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_samples import SMALL, SMALL_HEADER, Census, small_rows

from examples.census import generate
from studio.engine.experiment import Experiment, parse_experiment
from studio.engine.model_file import ModelFile
from studio.engine.scorer import Scorer
from studio.engine.training import Trained, train

_ROOT = Path(__file__).parents[3]
_ADULT = _ROOT.parent / "shared" / "data" / "adult" / "adult.csv"
_DECLARATION = _ROOT / "examples" / "census" / "experiment.toml"


@pytest.fixture(scope="session")
def census(tmp_path_factory: pytest.TempPathFactory) -> Census:
    if _ADULT.exists():
        return Census(_ADULT, is_real=True)
    path = tmp_path_factory.mktemp("census") / "generated.csv"
    generate.write(path, 8000, seed=1)
    return Census(path, is_real=False)


@pytest.fixture(scope="session")
def census_experiment() -> Experiment:
    return parse_experiment(_DECLARATION.read_text(encoding="utf-8"), _DECLARATION.name)


@pytest.fixture(scope="session")
def census_trained(census: Census, census_experiment: Experiment) -> Trained:
    return train(census_experiment, census.path, ".csv", threads=2)


@pytest.fixture(scope="session")
def census_scorer(census_trained: Trained) -> Scorer:
    return Scorer.load(census_trained.model_file)


@pytest.fixture
def small() -> Experiment:
    return parse_experiment(SMALL, "small.toml")


@pytest.fixture
def small_csv(tmp_path: Path) -> Path:
    path = tmp_path / "small.csv"
    path.write_text("\n".join([SMALL_HEADER, *small_rows()]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def small_model(small: Experiment, small_csv: Path) -> ModelFile:
    return ModelFile.read(train(small, small_csv, ".csv", threads=1).model_file)
