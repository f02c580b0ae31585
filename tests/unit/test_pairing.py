"""From an endpoint's table and a holdout file to rows that can be compared, for every task."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain.gate import GateRule, MetricRule, Outcome, SliceRule, judge
from shared.domain.measuring.holdout import Answered, answered, pair, parse_holdout
from shared.domain.task import Task
from shared.errors import EvaluationError, ProtocolMismatch
from shared.wire import Table

PLAIN = GateRule(replicates=100)
HOLDOUT = b"age,sex,household,label\n30,F,1,yes\n40,M,1,no\n50,F,2,yes\n60,M,2,no\n"


def scored(**columns: list[str]) -> Table:
    return Table(tuple(columns), [list(row) for row in zip(*columns.values(), strict=True)])


def test_columns_beyond_the_contract_are_kept_from_the_endpoints_and_known_to_the_gate() -> None:
    holdout = parse_holdout(HOLDOUT, "label", contract={"age", "sex", "label"})
    rule = GateRule(group="household", slices=SliceRule(("sex",)))

    rows = pair(holdout, Task.TWO_CLASS, "yes", rule, Answered(np.zeros(4)), Answered(np.ones(4)))

    assert holdout.columns == ("age", "sex", "label")
    assert holdout.rows[0] == ["30", "F", None]
    assert rows.groups is not None
    assert rows.groups.tolist() == [0, 0, 1, 1]
    assert {name: mask.tolist() for name, mask in rows.slices.items()} == {
        "sex=F": [True, False, True, False],
        "sex=M": [False, True, False, True],
    }
    assert rows.labels.tolist() == [True, False, True, False]


@pytest.mark.parametrize("rule", [GateRule(group="nobody"), GateRule(slices=SliceRule(("nobody",)))])
def test_a_column_that_the_gate_names_and_the_holdout_lacks_is_an_error(rule: GateRule) -> None:
    holdout = parse_holdout(HOLDOUT, "label")

    with pytest.raises(EvaluationError, match=r"^gate-column-missing: the holdout has no column 'nobody'"):
        pair(holdout, Task.TWO_CLASS, "yes", rule, Answered(np.zeros(4)), Answered(np.ones(4)))


def test_a_column_of_many_values_makes_no_slices() -> None:
    holdout = parse_holdout(b"id,label\n" + b"".join(b"%d,yes\n" % n for n in range(51)), "label")

    with pytest.raises(EvaluationError, match=r"^too-many-slices: .*51 values"):
        pair(
            holdout, Task.TWO_CLASS, "yes", GateRule(slices=SliceRule(("id",))),
            Answered(np.zeros(51)), Answered(np.ones(51)),
        )  # fmt: skip


def multiclass(*names: str) -> Answered:
    columns = {f'Scored Probabilities for Class "{name}"': ["0.5", "0.25"] for name in names}
    return answered(scored(**columns, **{"Scored Labels": ["x", "x"]}), Task.MULTICLASS)


def test_class_probabilities_are_read_by_class_and_models_may_know_different_classes() -> None:
    holdout = parse_holdout(b"f,label\n1,low\n2,new\n", "label")

    rows = pair(holdout, Task.MULTICLASS, "", PLAIN, multiclass("low", "high"), multiclass("new", "low", "high"))

    assert rows.labels.tolist() == [1, 2]
    assert rows.champion.tolist() == [[0.5, 0.5, 0], [0.25, 0.25, 0]]
    assert rows.challenger.shape == (2, 3)


def test_a_label_that_no_model_knows_is_an_error() -> None:
    holdout = parse_holdout(b"f,label\n1,low\n2,odd\n", "label")

    with pytest.raises(EvaluationError, match="'odd' is no class of either model"):
        pair(holdout, Task.MULTICLASS, "", PLAIN, multiclass("low"), multiclass("low"))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["yes", "no", "yes", "no."], r"more than two classes: 'yes' is positive, and 2 others are not, such as 'no'"),
        (["yes", "no", "no", ""], "1 of the holdout's 4 labels are empty"),
    ],
)
def test_a_label_that_is_neither_of_two_classes_is_an_error(labels: list[str], said: str) -> None:
    holdout = parse_holdout("\n".join(["f,label", *(f"1,{label}" for label in labels)]).encode(), "label")

    with pytest.raises(EvaluationError, match=f"^label-unknown: .*{said}"):
        pair(holdout, Task.TWO_CLASS, "yes", PLAIN, Answered(np.zeros(4)), Answered(np.ones(4)))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["yes", "yes.", "yes", "yes."], r"the holdout's label 'yes\.' \(2 of 4 rows\) is none of .* values no, yes$"),
        (["yes", "no", "Yes", "no."], r"the holdout's label 'Yes' \(1 of 4 rows\) is none"),
        (["yes", "no", "", ""], r"the holdout's label '' \(2 of 4 rows\) is none"),
    ],
)
@pytest.mark.parametrize("task", [Task.TWO_CLASS, Task.MULTICLASS])
def test_a_label_that_the_contract_does_not_know_is_an_error(task: Task, labels: list[str], said: str) -> None:
    """Without the contract's values a misspelt positive label would count as the negative class."""
    holdout = parse_holdout("\n".join(["f,label", *(f"1,{label}" for label in labels)]).encode(), "label")
    answers = Answered(np.zeros((4, 2)), ("no", "yes")) if task is Task.MULTICLASS else Answered(np.zeros(4))

    with pytest.raises(EvaluationError, match=f"^label-unknown: {said}"):
        pair(holdout, task, "yes", PLAIN, answers, answers, known={"yes", "no"})


def test_a_cell_that_no_csv_reader_takes_makes_the_holdout_unreadable() -> None:
    data = b"f,label\n" + b"x" * 200_000 + b",yes\n"

    with pytest.raises(EvaluationError, match=r"^holdout-unreadable: the holdout is no CSV: field larger than"):
        parse_holdout(data, "label")


@pytest.mark.parametrize("task", Task)
def test_an_answer_without_its_column_is_no_answer(task: Task) -> None:
    with pytest.raises(ProtocolMismatch):
        answered(scored(age=["1"]), task)


def test_predictions_of_a_regression_are_its_scored_labels() -> None:
    holdout = parse_holdout(b"f,price\n1,10.5\n2,x\n", "price")
    answers = answered(scored(**{"Scored Labels": ["10.25", "oops"]}), Task.REGRESSION)
    rule = GateRule(metrics=(MetricRule("Mean Absolute Error"),), replicates=100)

    rows = pair(holdout, Task.REGRESSION, "", rule, answers, answers)

    assert rows.champion[0] == 10.25
    assert np.isnan(rows.champion[1])
    assert np.isnan(rows.labels[1])
    assert judge({}, rows, rule).outcome is Outcome.ERROR


def test_a_number_is_read_from_the_mean_where_a_learner_also_says_how_sure_it_is() -> None:
    plain = answered(scored(**{"Scored Labels": ["1.5", "2"]}), Task.REGRESSION)
    forest = {"Scored Label Mean": ["1.5", "2"], "Scored Label Standard Deviation": ["0.1", "9"]}

    assert answered(scored(**forest), Task.REGRESSION).answers.tolist() == plain.answers.tolist() == [1.5, 2.0]
