"""The C library: what a machine without it is told, and what odd data does to it."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from studio.engine import lightgbm_library
from studio.engine.errors import LibraryMissing
from studio.engine.features import Features
from studio.engine.lightgbm_library import LibraryError, library
from studio.engine.tree_ensemble import TreeEnsemble
from studio.engine.tree_growing import TreeGrower
from studio.engine.tree_text import TreeShape
from studio.engine.trees import Trees

_SETTINGS = {"objective": "binary", "num_leaves": 4, "min_data_in_leaf": 1, "learning_rate": 0.2}


def test_a_machine_without_the_package_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lightgbm_library, "find_spec", lambda _: None)

    with pytest.raises(LibraryMissing, match=r"pip install -r studio/requirements\.txt"):
        library.__wrapped__()


def test_a_machine_without_openmp_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", refuse)

    with pytest.raises(LibraryMissing, match=r"apt-get install libgomp1.*brew install libomp.*libgomp\.so\.1"):
        library.__wrapped__()


def test_a_setting_that_the_library_refuses_is_an_error_with_its_words() -> None:
    with pytest.raises(LibraryError, match="LightGBM: "):
        _grow(np.zeros((10, 1)), np.arange(10) % 2, num_leaves=-4)


@pytest.mark.parametrize("n_rows", [2, 40])
def test_features_that_tell_nothing_give_the_base_rate(n_rows: int, capfd: pytest.CaptureFixture[str]) -> None:
    text = _grow(np.full((n_rows, 2), np.nan), np.arange(n_rows) % 2)

    answers = Trees(TreeEnsemble.checked(text, TreeShape(2))).predict([[1.0, 2.0]])

    assert answers == pytest.approx([0.5])
    assert capfd.readouterr() == ("", "")


def test_trees_that_cannot_grow_any_more_stop_the_growing() -> None:
    features = np.array([[0.0], [1.0]] * 20)

    text = _grow(features, features[:, 0], n_trees=3)

    assert len(TreeEnsemble.checked(text, TreeShape(1)).trees) == 3


def _grow(features: np.ndarray, labels: np.ndarray, *, n_trees: int = 5, **settings: object) -> str:
    known = {**_SETTINGS, **settings}
    with TreeGrower(Features.of(features.astype(np.float64)), categorical=(), settings=known, threads=1) as grower:
        return grower.grow(labels.astype(np.float32), n_trees)
