"""Training on Adult: what was published is reached, and the library used bare says the same to the last digit."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from subprocess import run

import numpy as np
import pytest
from engine_samples import Census

from studio.engine.evaluation.two_class import evaluate_two_class
from studio.engine.experiment import Experiment
from studio.engine.model_file import ModelFile
from studio.engine.number_text import number_text
from studio.engine.scorer import Scorer
from studio.engine.split import training_rows
from studio.engine.training import Trained, train
from studio.engine.tree_ensemble import TreeEnsemble
from studio.engine.tree_text import TreeShape


def test_what_studio_published_for_adult_is_reached(census: Census, census_trained: Trained) -> None:
    if not census.is_real:
        pytest.skip(
            "UCI Adult is not at ../shared/data/adult: its figures are not checked, other tests use made-up rows"
        )

    metrics = census_trained.summary.metrics

    assert metrics["AUC"] >= 0.922
    assert metrics["Accuracy"] >= 0.867
    assert census_trained.summary.data.n_test_rows == 9768


def test_the_metrics_have_the_classic_columns(census_trained: Trained) -> None:
    header, row, end = census_trained.metrics_csv.decode().split("\n")

    assert header == "Accuracy,Precision,Recall,F-Score,AUC,Average Log Loss,Training Log Loss"
    assert [float(cell) for cell in row.split(",")] == pytest.approx(
        [*census_trained.summary.metrics.values()], rel=1e-14
    )
    assert end == ""


def test_equal_bytes_in_give_equal_bytes_out(
    census: Census, census_experiment: Experiment, census_trained: Trained
) -> None:
    again = train(census_experiment, census.path, ".csv", threads=1)

    assert again.model_file == census_trained.model_file
    assert again.metrics_csv == census_trained.metrics_csv


def test_the_library_used_bare_agrees_to_the_last_digit(
    census: Census, census_experiment: Experiment, census_trained: Trained, census_scorer: Scorer
) -> None:
    import lightgbm

    rows, features, labels = _encoded(census.path, census_experiment)
    chosen = training_rows(labels, 2, census_experiment.split)
    settings = {
        "objective": "binary", "num_leaves": 20, "min_data_in_leaf": 10, "learning_rate": 0.2, "seed": 0,
        "num_threads": 2, "verbosity": -1, "deterministic": True, "force_col_wise": True,
    }  # fmt: skip
    categorical = list(census_experiment.schema.categorical_features)
    data = lightgbm.Dataset(features[chosen], labels[chosen].astype(np.float32), categorical_feature=categorical)

    bare = lightgbm.train(settings, data, num_boost_round=100)
    expected = bare.predict(features[~chosen], num_threads=1)

    model = ModelFile.read(census_trained.model_file)
    assert model.model == TreeEnsemble.checked(bare.model_to_string(), TreeShape(features.shape[1]))
    assert census_trained.summary.metrics == evaluate_two_class(labels[~chosen], expected).metrics
    scored = census_scorer.score(list(census_experiment.columns), [rows[at] for at in np.flatnonzero(~chosen)])
    assert [row[-1] for row in scored] == [number_text(float(answer)) for answer in expected]


def _encoded(path: Path, experiment: Experiment) -> tuple[list[list[str]], np.ndarray, np.ndarray]:
    """Prepare the file a second time, independently and slowly."""
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == list(experiment.columns)
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    fills = experiment.schema.fills
    matrix = []
    for name in experiment.schema.features:
        if name not in ("age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"):
            cells = [fills[name] if cell in ("", "?") else cell for cell in columns[name]]
            codes = {cell: code for code, cell in enumerate(sorted(set(cells)))}
            matrix.append([codes[cell] for cell in cells])
        else:
            matrix.append([float(cell) for cell in columns[name]])
    return rows, np.array(matrix, np.float64).T.copy(), np.array(columns["income"]) == ">50K"


def test_the_python_package_lightgbm_is_never_imported(census: Census, census_trained: Trained, tmp_path: Path) -> None:
    model = tmp_path / "model.ilearner"
    model.write_bytes(census_trained.model_file)
    program = (
        "import sys, pathlib\n"
        "from studio.engine.scorer import Scorer\n"
        f"scorer = Scorer.load(pathlib.Path({str(model)!r}).read_bytes())\n"
        "scorer.score([name for name, _ in scorer.input_columns], [[None] * 15] * 100)\n"
        "assert not sys.modules.keys() & {'numpy', 'pyarrow', 'lightgbm', 'scipy', 'pandas'}\n"
        "from studio.engine.experiment import parse_experiment\n"
        "from studio.engine.training import train\n"
        "experiment = parse_experiment(pathlib.Path('examples/census/experiment.toml').read_text(), '')\n"
        f"train(experiment, pathlib.Path({str(census.path)!r}), '.csv', threads=1)\n"
        "assert not sys.modules.keys() & {'lightgbm', 'scipy', 'pandas'}\n"
    )

    done = run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=_ROOT)  # noqa: S603

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


_ROOT = Path(__file__).parents[3]


def test_progress_tells_each_step(census: Census, census_experiment: Experiment) -> None:
    told: list[str] = []

    data = train(census_experiment, census.path, ".csv", threads=2, progress=told.append).summary.data

    assert told == [
        "reading the data",
        f"training on {data.n_training_rows} of {data.n_rows} rows",
        f"evaluating on {data.n_test_rows} rows",
    ]
