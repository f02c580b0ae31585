"""
Random forests through LightGBM: trees grown each on a bag of its own, whose leaves are averaged. The training side.

Several forests may stand side by side, one for each answer of a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from studio.engine.learners.kind import TrainingRows
from studio.engine.link import Link
from studio.engine.tree_ensemble import TreeEnsemble, side_by_side
from studio.engine.tree_growing import TreeGrower
from studio.engine.tree_text import TreeShape
from studio.engine.trees import Trees

_HISTOGRAM_MEGABYTES = 256


def grow_forests(
    rows: TrainingRows,
    labels: Sequence[NDArray[np.float32]],
    n_trees: int,
    settings: Mapping[str, object],
    each: Sequence[Mapping[str, object]] | None = None,
) -> TreeEnsemble:
    """
    Grow a forest per sequence of labels, all on the same bags of rows.

    Args:
        labels: For each forest, what it predicts, `n_rows` long.
        settings: LightGBM's own, for all; `each` adds some per forest.

    Raises:
        LibraryError: LightGBM refused.
        TreeTextError: The forest cannot be held in a model file.
    """
    shape = TreeShape(rows.features.shape[1], link=Link.IDENTITY, averaged=True)
    common = {"objective": "regression", "boosting": "rf", "histogram_pool_size": _HISTOGRAM_MEGABYTES, **settings}
    forests = []
    with TreeGrower(rows.features, categorical=rows.categorical, settings=common, threads=rows.threads) as grower:
        for wanted, more in zip(labels, each or [{}] * len(labels), strict=True):
            forest = TreeEnsemble.checked(grower.grow(wanted, n_trees, **more), shape)
            forests.append(_with_stumps(forest, float(wanted.mean(dtype=np.float64))))
    return side_by_side(forests)


def moments(rows: TrainingRows, forest: TreeEnsemble) -> TreeEnsemble:
    """
    Put two more forests of the same trees beside one that predicts the labels' mean: the mean of squares, their origin.

    A leaf's square is that of its mean's distance from the origin, and the variance of the training labels in it.
    """
    origin = float(rows.labels.mean())
    means = list(forest.leaf_values())
    variances = _leaf_variances(rows, forest, means)
    squares = [spread + (np.asarray(mean) - origin) ** 2 for mean, spread in zip(means, variances, strict=True)]
    origins = [[origin] * len(mean) for mean in means]
    return side_by_side(
        [forest, forest.with_leaf_values([leaves.tolist() for leaves in squares]), forest.with_leaf_values(origins)]
    )


def _with_stumps(forest: TreeEnsemble, mean: float) -> TreeEnsemble:
    """Give trees without a split the mean to answer with: the library leaves 0 in all but the first of them."""
    values = list(forest.leaf_values())
    if all(len(leaves) > 1 for leaves in values):
        return forest
    return forest.with_leaf_values([leaves if len(leaves) > 1 else [mean] for leaves in values])


def _leaf_variances(
    rows: TrainingRows, forest: TreeEnsemble, means: Sequence[Sequence[float]]
) -> list[NDArray[np.float64]]:
    sums = [np.zeros(len(mean)) for mean in means]
    counts = [np.zeros(len(mean)) for mean in means]
    trees = Trees(forest)
    start = 0
    for block in rows.features.blocks():
        labels = rows.labels[start : start + len(block)]
        start += len(block)
        found = trees.leaves(block.ctypes.data, len(block), len(means), threads=rows.threads)
        leaves = np.ctypeslib.as_array(found).reshape(len(block), len(means)).astype(np.int64)
        for tree, mean in enumerate(means):
            squares = (labels - np.asarray(mean)[leaves[:, tree]]) ** 2
            sums[tree] += np.bincount(leaves[:, tree], squares, len(mean))
            counts[tree] += np.bincount(leaves[:, tree], minlength=len(mean))
    return [total / np.maximum(count, 1) for total, count in zip(sums, counts, strict=True)]
