"""
The library used bare: pyarrow reads, LightGBM fits with the service's settings, and the other rows are scored.

    python train_library.py FILE.csv
"""

from __future__ import annotations

import sys
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
from adult import CATEGORICAL, LABEL, NUMERIC, POSITIVE, training_rows
from numpy.typing import NDArray
from pyarrow import csv
from stopwatch import Stopwatch

_SETTINGS = {
    "objective": "binary",
    "num_leaves": 20,
    "min_data_in_leaf": 10,
    "learning_rate": 0.2,
    "seed": 0,
    "num_threads": 2,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}


def auc_of(labels: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> float:
    """Area under the ROC curve by the ranks of the positive rows; ties share their mean rank."""
    values, inverse, counts = np.unique(probabilities, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    n_positive = int(labels.sum())
    n_pairs = n_positive * (len(values[inverse]) - n_positive)
    return float((ranks[labels].sum() - n_positive * (n_positive + 1) / 2) / n_pairs)


def numbers(column: Any) -> NDArray[np.float64]:
    """Decode one column; a text's number is its place among the sorted texts."""
    if not pa.types.is_dictionary(column.type):
        return np.asarray(column.to_numpy(), np.float64)
    chunk = column.unify_dictionaries().combine_chunks()
    chunk = chunk.chunk(0) if isinstance(chunk, pa.ChunkedArray) else chunk
    texts = chunk.dictionary.to_pylist()
    place = np.argsort(np.argsort(texts)).astype(np.float64)
    return place[chunk.indices.to_numpy(zero_copy_only=False)]


watch = Stopwatch()
text = pa.dictionary(pa.int32(), pa.string())
table = csv.read_csv(
    sys.argv[1], convert_options=csv.ConvertOptions(column_types=dict.fromkeys([*CATEGORICAL, LABEL], text))
)
watch.phase("read")
chosen = training_rows(table.num_rows)
names = CATEGORICAL + NUMERIC
training = np.empty((int(chosen.sum()), len(names)), np.float64)
test = np.empty((len(chosen) - len(training), len(names)), np.float64)
for at, name in enumerate(names):
    values = numbers(table[name])
    training[:, at], test[:, at] = values[chosen], values[~chosen]
positive = np.asarray(table[LABEL].cast(pa.string()).to_numpy() == POSITIVE)
del table
watch.phase("encode")
data = lightgbm.Dataset(training, positive[chosen], categorical_feature=list(range(len(CATEGORICAL))), params=_SETTINGS)
booster = lightgbm.train(_SETTINGS, data, num_boost_round=100)
watch.phase("fit")
probabilities = booster.predict(test, num_threads=2)
auc = auc_of(positive[~chosen], probabilities)
accuracy = float(((probabilities >= 0.5) == positive[~chosen]).mean())
watch.phase("evaluate")
watch.report(auc=auc, accuracy=accuracy)
