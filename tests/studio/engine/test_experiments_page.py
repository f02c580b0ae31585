"""docs/experiments.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from examples.rentals import generate
from studio.engine.experiment import parse_experiment
from studio.engine.learners import LEARNERS
from studio.engine.ports import Output
from studio.engine.ranking import METRICS
from studio.engine.schema import ColumnType, MissingRule
from studio.engine.scored_columns import Answers
from studio.engine.settings import setting_text
from studio.engine.training import train

_ROOT = Path(__file__).parents[3]
_RENTALS = _ROOT / "examples" / "rentals"


@pytest.fixture(scope="module")
def page() -> str:
    return (_ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_a_learner_is_on_the_page_with_its_parameters_and_defaults(page: str, name: str) -> None:
    assert name in page
    for parameter, rule in LEARNERS[name].rules.items():
        default = setting_text(rule.default)
        own = "0.005" if name == "Neural Network Regression" and parameter == "Learning rate" else default
        assert f"{parameter} {own}" in page or (parameter == "Learning rate" and f"(regression {own})" in page)


def test_every_output_and_every_metric_is_on_the_page(page: str) -> None:
    assert all(f"`{output.value}`" in page for output in Output)
    for answers in (Answers.PROBABILITY, Answers.PROBABILITIES, Answers.VALUE):
        assert ",".join(METRICS[answers]) in page


def test_every_type_of_column_is_on_the_page_with_its_name_on_the_wire(page: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| `(\w+)` \|$", page, re.MULTILINE))

    assert rows.items() >= {kind.value: kind.wire_name for kind in ColumnType}.items()


def test_every_rule_for_missing_cells_is_on_the_page(page: str) -> None:
    rows = page.partition("### Missing cells")[2].partition("\n### ")[0]

    assert re.findall(r'^\| `\{ rule = "(.*)" \}`', rows, re.MULTILINE) == [rule.value for rule in MissingRule]


def test_the_declaration_on_the_page_is_accepted(page: str) -> None:
    declaration, options = (block.partition("```")[0] for block in page.split("```toml\n")[1:3])
    options = options.replace('metric = "AUC"', 'metric = "Mean Absolute Error"').partition('"Learning rate"')[0]

    experiment = parse_experiment(
        declaration.replace("[web_service]", '[web_service]\nfolds_output = "folds"')
        + options
        + '"Number of decision trees" = { from = 4, to = 32, logarithmic = true }',
        "docs/experiments.md",
    )

    assert experiment.parameters.defaults == {"Trees": "16", "Seed": None}
    assert experiment.score.parameters.defaults == {"With columns": "true"}


@pytest.mark.parametrize(
    ("name", "judged", "least"),
    [("rentals", "Coefficient of Determination", 0.6), ("demand", "Overall accuracy", 0.75)],
)
def test_the_rental_examples_train_on_their_generated_rows(
    tmp_path: Path, name: str, judged: str, least: float
) -> None:
    path = tmp_path / "rentals.csv"
    generate.write(path, 2000, seed=1)
    experiment = parse_experiment((_RENTALS / f"{name}.toml").read_text(encoding="utf-8"), name)

    trained = train(experiment, path, ".csv", threads=1)

    assert trained.summary.metrics[judged] > least
    assert trained.tables.keys() == experiment.outputs.keys() - {"output1"}
