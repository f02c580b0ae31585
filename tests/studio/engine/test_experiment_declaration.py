"""Declarations: what they say, and how every problem in one is reported at once."""

from __future__ import annotations

import pytest
from engine_samples import SMALL

from studio.engine.design import Split
from studio.engine.errors import ExperimentError, ModuleError
from studio.engine.experiment import Experiment, parse_experiment
from studio.engine.schema import ColumnType


def test_the_census_declaration_is_the_published_sample(census_experiment: Experiment) -> None:
    experiment = census_experiment

    assert experiment.name == "Census Model"
    assert experiment.resource_name == "Census Model [trained model]"
    assert (experiment.input_name, experiment.model_output, experiment.metrics_output) == (
        "input1",
        "output1",
        "output2",
    )
    assert (experiment.label, experiment.schema.positive_label) == ("income", ">50K")
    assert "education" in experiment.columns
    assert "education" not in experiment.schema.features
    assert len(experiment.schema.categorical_features) == 7
    assert experiment.split == Split(fraction=0.7, seed=0, stratified=False)
    assert list(experiment.learner.parameters.values()) == [20, 10, 0.2, 100, 0, True]


def test_columns_keep_their_order_and_types(small: Experiment) -> None:
    assert list(small.columns) == ["pressure", "month", "wind", "note", "rain"]
    assert small.columns["pressure"] is ColumnType.NUMERIC
    assert small.columns["month"] is ColumnType.INTEGER
    assert small.columns["wind"] is ColumnType.CATEGORICAL


def test_what_is_left_out_takes_studios_defaults() -> None:
    text = """
        name = "a"
        columns = { x = "Numeric", y = "Categorical" }
        label = { column = "y" }
        learner = { name = "Two-Class Boosted Decision Tree" }
    """

    experiment = parse_experiment(text, "a.toml")

    assert experiment.split == Split(0.7, 0, False)
    assert experiment.learner.parameters["Maximum number of leaves per tree"] == 20
    assert experiment.schema.missing == ("",)
    assert experiment.parameters.defaults == {}
    assert experiment.source_text == text


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("Census Model", "Census Model [trained model]"),
        ("Scenario 1: When will a customer return?", "Scenario 1 When will a customer return [trained model]"),
    ],
)
def test_a_resource_is_named_after_its_experiment(name: str, resource: str) -> None:
    experiment = parse_experiment(SMALL.replace("Will it rain?", name), "small.toml")

    assert experiment.resource_name == resource


def test_all_problems_are_reported_together() -> None:
    text = """
        nme = "a"
        [columns]
        x = "Numerc"
        y = "Categorical"
        z = 3
        [label]
        column = "why"
        positive = 4
        [features]
        drop = ["w"]
        [missing]
        texts = "?"
        fill = { x = true, q = 1 }
        [split]
        fraction = 1.5
        seeed = 1
        [learner]
        name = "Two-Class Boosted Decision Tree"
        parameters = { "Learning rate" = "fast", "Number of trees constructed" = 0 }
        [web_service]
        model_output = "out"
        metrics_output = "out"
        parameters = { a = { sets = "split.sed" }, b = 3 }
    """

    with pytest.raises(ExperimentError) as caught:
        parse_experiment(text, "broken.toml")

    starts = {problem.partition(":")[0] for problem in caught.value.problems}
    assert starts == {
        "nme", "name", "columns.x", "columns.z", "label.column", "label.positive", "features.drop", "missing.texts",
        "missing.fill.x", "missing.fill.q", "split.fraction", "split.seeed", "learner.parameters.Learning rate",
        "learner.parameters.Number of trees constructed", "web_service.metrics_output",
        "web_service.parameters.a.sets", "web_service.parameters.b",
    }  # fmt: skip
    assert str(caught.value).startswith(f"broken.toml: {len(caught.value.problems)} problem(s)\n  - ")


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('name = "Will', "name = Will", "not valid TOML"),
        ('drop = ["note"]', 'drop = ["rain"]', "is the label"),
        ('drop = ["note"]', 'drop = ["note", "wind", "month", "pressure"]', "no column is left to learn from"),
        ('wind = "calm"', 'rain = "no"', "is the label"),
        ('wind = "calm"', "month = 1.5", "1.5 is no value of a column of type Integer"),
        ('wind = "calm"', "month = nan", "nan is no value of a column of type Integer"),
        ('wind = "Categorical"', '"Scored Labels" = "Categorical"', "cannot be the name of an input column"),
        ("Two-Class Boosted Decision Tree", "Two-Class Magic", "unknown learner 'Two-Class Magic'"),
        ("stratified = true", "stratifed = true", "did you mean 'stratified'?"),
        ("stratified = true", "seed = -1", "expected a whole number from 0 to 2147483647, got -1"),
        ("[web_service.parameters]", "[[web_service.parameters]]", "expected a table"),
        ("stratified = true", f"seed = {'9' * 400}", "expected a whole number"),
        ("stratified = true", "fraction = inf", "expected a number from 0.01 to 0.99, got inf"),
        ("stratified = true", "x = " + "[" * 2000 + "]" * 2000, "not valid TOML"),
    ],
)
def test_a_bad_declaration_is_refused_with_its_reason(before: str, after: str, problem: str) -> None:
    assert before in SMALL

    with pytest.raises(ExperimentError) as caught:
        parse_experiment(SMALL.replace(before, after), "small.toml")

    assert problem in str(caught.value)


def test_web_service_parameters_have_the_declared_values_as_defaults(small: Experiment) -> None:
    assert small.parameters.defaults == {"Random seed": "0", "Trees": "5"}


def test_a_required_parameter_has_no_default_and_has_to_be_given() -> None:
    text = SMALL.replace('{ sets = "split.seed" }', '{ sets = "split.seed", required = true }')
    experiment = parse_experiment(text, "small.toml")

    assert experiment.parameters.defaults == {"Random seed": None, "Trees": "5"}
    with pytest.raises(ModuleError, match=r"Error 0003: .*'Random seed'.* give each a value"):
        experiment.with_parameters({})
    assert experiment.with_parameters({"Random seed": "7"}).split.seed == 7


def test_parameters_change_the_settings_that_they_name(small: Experiment) -> None:
    changed = small.with_parameters({"Random seed": "7", "Trees": "9"})

    assert changed.split == Split(0.7, 7, True)
    assert changed.learner.parameters["Number of trees constructed"] == 9
    assert small.split.seed == 0


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"Seed": "1"}, r"Error 0002: no web service parameter is named \['Seed'\]; known: 'Random seed', 'Trees'"),
        ({"Trees": "many"}, "Error 0008: web service parameter 'Trees': expected a whole number from 1 to 100000"),
        ({"Trees": "1.5"}, "Error 0008"),
        ({"Trees": "nan"}, "Error 0008"),
        ({"Trees": ""}, "Error 0008"),
    ],
)
def test_a_bad_parameter_is_refused_in_studios_form(small: Experiment, given: dict[str, str], error: str) -> None:
    with pytest.raises(ModuleError, match=error):
        small.with_parameters(given)


@pytest.mark.parametrize(
    ("learner", "before", "after", "problem"),
    [
        ("Linear Regression", "", "", "label.column: a regression learner predicts a number; 'rain' is Categorical"),
        ("Linear Regression", 'column = "rain"', 'column = "month"', "split.stratified: a number has no classes"),
        (
            "Multiclass Neural Network", 'column = "rain"', 'column = "rain"\npositive = "yes"',
            "label.positive: a multiclass learner has no positive label",
        ),
        (
            "Two-Class Decision Forest", "[web_service.parameters]",
            '"Resampling method" = "Boosting"\n[web_service.parameters]', "expected one of 'Bagging', 'Replicate'",
        ),
        (
            "Two-Class Neural Network", "[web_service.parameters]",
            '"The type of normalizer" = "Binning normalizer"\n[web_service.parameters]', "'Do not normalize', got",
        ),
    ],
)  # fmt: skip
def test_a_label_or_parameter_that_does_not_suit_the_learner_is_refused(
    learner: str, before: str, after: str, problem: str
) -> None:
    text = SMALL.replace("Two-Class Boosted Decision Tree", learner).replace(before, after)
    text = text.replace('"Number of trees constructed" = 5\n"Minimum number of samples per leaf node" = 2\n', "")

    with pytest.raises(ExperimentError) as caught:
        parse_experiment(text, "small.toml")

    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("given", "setting"),
    [({"Method": "replicate"}, "Replicate"), ({"Method": " Bagging"}, "Bagging")],
)
def test_a_parameter_may_be_one_of_a_few_texts(given: dict[str, str], setting: str) -> None:
    text = (
        SMALL.partition("[learner]")[0]
        + '[learner]\nname = "Two-Class Decision Forest"\n'
        + '[web_service.parameters]\nMethod = { sets = "learner.Resampling method" }\n'
    )
    experiment = parse_experiment(text, "small.toml")

    assert experiment.parameters.defaults == {"Method": "Bagging"}
    assert experiment.with_parameters(given).learner.parameters["Resampling method"] == setting
    with pytest.raises(ModuleError, match="Error 0008: web service parameter 'Method': expected one of 'Bagging'"):
        experiment.with_parameters({"Method": "none"})
