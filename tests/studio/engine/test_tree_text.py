"""The trees' text: what the library wrote passes, and what would lead it astray does not."""

from __future__ import annotations

import re
from random import Random

import pytest

from studio.engine.model_file import ModelFile
from studio.engine.tree_ensemble import TreeEnsemble
from studio.engine.tree_text import TreeShape, TreeTextError, checked_trees
from studio.engine.trees import Trees

_N_FEATURES = 3
_SHAPE = TreeShape(_N_FEATURES)


@pytest.fixture
def text(small_model: ModelFile) -> str:
    assert isinstance(small_model.model, TreeEnsemble)
    assert "cat_threshold" in small_model.model.text
    return small_model.model.text


def _replaced(text: str, key: str, values: str) -> str:
    changed, count = re.subn(rf"(?m)^{key}=.*$", f"{key}={values}", text, count=1)
    assert count == 1
    return changed


def _values(text: str, key: str) -> list[str]:
    found = re.search(rf"(?m)^{key}=(.*)$", text)
    assert found
    return found[1].split(" ")


def _with_first(text: str, key: str, value: str) -> str:
    return _replaced(text, key, " ".join([value, *_values(text, key)[1:]]))


def test_checked_trees_pass_again_unchanged(text: str) -> None:
    assert checked_trees(text, _SHAPE) == text


def test_what_the_library_adds_beside_the_trees_is_left_out(text: str) -> None:
    noisy = text.replace("\n\nTree=0", "\ntree_sizes=9 9999999999\n\nTree=0").replace("is_linear", "evil=1\nis_linear")

    assert checked_trees(noisy + "\nparameters:\n[num_leaves: 99]\nend of parameters\n", _SHAPE) == text


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("num_leaves", "0", "num_leaves is 0"),
        ("num_leaves", "-1", "outside 0 to 131072"),
        ("num_leaves", "999999999", "outside 0 to 131072"),
        ("num_leaves", "2", "values instead of 1"),
        ("num_cat", "7", "cat_boundaries has"),
        ("num_cat", "0", "set of categories that is not there"),
        ("split_feature", "3", "split_feature has a value outside 0 to 2"),
        ("split_feature", "-1", "split_feature has a value outside 0 to 2"),
        ("decision_type", "64", "decision_type has a value outside 0 to 11"),
        ("decision_type", "1", "set of categories that is not there"),
        ("left_child", "0", "a node"),
        ("left_child", "99", "left_child has a value outside"),
        ("right_child", "-99", "right_child has a value outside"),
        ("cat_boundaries", "5", "do not rise from 0"),
        ("cat_threshold", "4294967296", "cat_threshold has a value outside"),
        ("cat_threshold", "1 1 1 1 1 1 1 1", "cat_threshold has"),
        ("leaf_value", "nan", "leaf_value has a value that is not a number"),
        ("leaf_value", "0x1p3", "leaf_value has a value that is not a number"),
        ("leaf_value", "", "leaf_value has a value that is not a number"),
        ("threshold", "1e99999", "threshold has a value that is not a number"),
        ("is_linear", "1", "linear models"),
        ("shrinkage", "a", "shrinkage has a value that is not a number"),
    ],
)
def test_a_value_that_would_lead_the_library_astray_is_refused(text: str, key: str, value: str, problem: str) -> None:
    with pytest.raises(TreeTextError, match=f"tree 0: .*{problem}"):
        checked_trees(_with_first(text, key, value), _SHAPE)


@pytest.mark.parametrize(
    "key",
    [
        "num_leaves", "num_cat", "split_feature", "split_gain", "threshold", "decision_type", "left_child",
        "right_child", "leaf_value", "leaf_weight", "leaf_count", "internal_value", "internal_weight",
        "internal_count", "cat_boundaries", "cat_threshold", "is_linear", "shrinkage",
    ],
)  # fmt: skip
def test_each_line_has_to_be_there_and_whole(text: str, key: str) -> None:
    for changed in (
        text.replace(f"\n{key}=", "\nother=", 1),
        _replaced(text, key, " ".join(_values(text, key)) + " 1"),
    ):
        with pytest.raises(TreeTextError, match="tree 0"):
            checked_trees(changed, _SHAPE)


def test_two_nodes_may_not_share_a_child(text: str) -> None:
    left = _values(text, "left_child")

    with pytest.raises(TreeTextError, match="a node or leaf has two parents"):
        checked_trees(_replaced(text, "right_child", " ".join(left)), _SHAPE)


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("objective=binary sigmoid:1", "objective=regression", "not an ensemble whose link is 'logistic'"),
        ("max_feature_idx=2", "max_feature_idx=9", "not grown on 3 features"),
        ("\nTree=1\n", "\nTree=2\n", "tree 1: it is out of order"),
        ("\nTree=0\n", "\nTree=0\n" + "x=1\n" * 40, "tree 0: it has more than 30 lines"),
        ("\nend of trees", "\nTree=" * 200_001 + "\nend of trees", "1 to 200000 are allowed"),
    ],
)
def test_an_ensemble_of_another_kind_is_refused(text: str, before: str, after: str, problem: str) -> None:
    assert before in text

    with pytest.raises(TreeTextError, match=problem):
        checked_trees(text.replace(before, after, 1), _SHAPE)


@pytest.mark.parametrize("text", ["", "tree\n", "\nTree=0\n", "tree\nobjective=binary sigmoid:1\n\nTree=0\n"])
def test_fragments_are_refused(text: str) -> None:
    with pytest.raises(TreeTextError):
        checked_trees(text, _SHAPE)


def test_checked_trees_predict_within_bounds_whatever_the_row(text: str) -> None:
    trees = Trees(TreeEnsemble(text, _SHAPE))

    rows = [[value] * _N_FEATURES for value in (0.0, -1e300, 1e300, float("nan"), float("inf"), 3e9, -5.0)]

    assert all(0 <= answer <= 1 for answer in trees.predict(rows))


def test_no_damage_that_passes_the_check_leads_the_library_astray(text: str) -> None:
    random = Random(7)
    odd = ["0", "-1", "1", "99999", "2147483647", "-2147483648", "1e308", "inf", "-inf", "nan", "", "1 1", "=", "\n"]
    rows = [[random.choice([0.0, 1e9, -3.0, 1e300, float("nan")]) for _ in range(_N_FEATURES)] for _ in range(40)]
    n_loaded = 0

    for _ in range(1500):
        token = random.choice(list(re.finditer(r"[^ =\n]+", text)))
        try:
            damaged = checked_trees(text[: token.start()] + random.choice(odd) + text[token.end() :], _SHAPE)
        except TreeTextError:
            continue
        n_loaded += 1
        assert all(0 <= answer <= 1 for answer in Trees(TreeEnsemble(damaged, _SHAPE)).predict(rows))

    assert n_loaded > 100
