"""Features in pieces: decoded as one matrix would hold them, and binned by the library as that would be."""

from __future__ import annotations

import numpy as np
import pytest

from studio.engine.features import FeatureColumn, Features
from studio.engine.tree_growing import TreeGrower

_LENGTHS = (700, 0, 1, 1300, 999)
_N_ROWS = sum(_LENGTHS)


@pytest.fixture
def matrix() -> np.ndarray:
    """Numbers with gaps, mostly zeros, codes of levels with gaps, a constant."""
    random = np.random.default_rng(7)
    numbers = np.where(random.random(_N_ROWS) < 0.1, np.nan, random.normal(size=_N_ROWS))
    sparse = np.where(random.random(_N_ROWS) < 0.9, 0.0, random.integers(1, 50, _N_ROWS))
    codes = np.where(random.random(_N_ROWS) < 0.05, np.nan, random.integers(0, 6, _N_ROWS))
    return np.column_stack([numbers, sparse, codes, np.ones(_N_ROWS)])


def in_pieces(matrix: np.ndarray) -> Features:
    """The matrix as a reader leaves it; the codes stand for other levels than their positions."""
    cuts = np.cumsum(_LENGTHS)[:-1]
    levels = np.array([5, 3, 1, 0, 2, 4, np.nan])
    places = [np.where(np.isnan(codes), -1, np.argsort(levels[:6])[np.nan_to_num(codes).astype(int)]) for codes in
              np.split(matrix[:, 2], cuts)]  # fmt: skip
    columns = [FeatureColumn(tuple(np.split(column, cuts))) for column in matrix.T]
    columns[2] = FeatureColumn(tuple(piece.astype(np.int32) for piece in places), levels)
    return Features(columns)


def test_pieces_decode_to_the_matrix_they_were_cut_from(matrix: np.ndarray) -> None:
    features = in_pieces(matrix)

    assert features.shape == matrix.shape
    np.testing.assert_array_equal(features.matrix, matrix)
    assert all(block.flags.c_contiguous for block in features.blocks())


def test_chosen_rows_are_those_of_the_matrix_however_often_one_chooses(matrix: np.ndarray) -> None:
    mask = np.random.default_rng(1).random(_N_ROWS) < 0.3
    numbers = np.array([0, 2, 100])

    chosen = in_pieces(matrix).chosen(mask)

    np.testing.assert_array_equal(chosen.matrix, matrix[mask])
    np.testing.assert_array_equal(chosen.chosen(numbers).matrix, matrix[mask][numbers])
    assert list(chosen.chosen(np.zeros(0, np.intp)).blocks()) == []


def test_a_fill_takes_the_place_of_a_gap_and_leaves_what_was_read() -> None:
    read = np.array([1.0, np.nan, 3.0])

    features = Features([FeatureColumn((read,), fill=9.0)])

    assert features.matrix[:, 0].tolist() == [1, 9, 3]
    assert np.isnan(read[1])


@pytest.mark.parametrize("sample", [200, 200_000], ids=["some rows sampled", "all rows sampled"])
def test_the_library_grows_the_same_trees_from_pieces_as_its_own_package_from_a_matrix(
    matrix: np.ndarray, sample: int
) -> None:
    import lightgbm

    labels = (np.nan_to_num(matrix[:, 0]) + (matrix[:, 2] == 4) + matrix[:, 1] / 50 > 0.4).astype(np.float32)
    settings = {"objective": "binary", "num_leaves": 8, "min_data_in_leaf": 5, "seed": 0, "verbosity": -1}
    settings |= {"bin_construct_sample_cnt": sample, "num_threads": 1, "deterministic": True, "force_col_wise": True}
    mask = np.random.default_rng(2).random(_N_ROWS) < 0.7
    data = lightgbm.Dataset(matrix[mask], labels[mask], categorical_feature=[2], params=settings)
    bare = lightgbm.train(settings, data, num_boost_round=20).model_to_string()

    with TreeGrower(in_pieces(matrix).chosen(mask), categorical=[2], settings=settings, threads=1) as grower:
        text = grower.grow(labels[mask], 20)

    assert _trees(text) == _trees(bare)
    assert text.count("Tree=") == 20


def _trees(text: str) -> str:
    """What a model says but for its settings."""
    return text.partition("\nparameters:")[0]
