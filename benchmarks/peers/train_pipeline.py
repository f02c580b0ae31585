"""
A training job as people write it with scikit-learn: read, pipeline, fit 70 %, score the others, metrics, save.

    python train_pipeline.py FILE.csv OUT.joblib
"""

from __future__ import annotations

from stopwatch import Stopwatch

watch = Stopwatch()

import sys  # noqa: E402  # imports are part of what is measured

import joblib  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from adult import CATEGORICAL, LABEL, NUMERIC, POSITIVE, training_rows  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402
from sklearn.metrics import accuracy_score, roc_auc_score  # noqa: E402
from sklearn.pipeline import Pipeline  # noqa: E402
from sklearn.preprocessing import OrdinalEncoder  # noqa: E402

watch.phase("imports")
frame = pd.read_csv(sys.argv[1])
watch.phase("read")
encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
pipeline = Pipeline(
    [
        ("columns", ColumnTransformer([("text", encoder, CATEGORICAL), ("number", "passthrough", NUMERIC)])),
        (
            "trees",
            HistGradientBoostingClassifier(
                max_leaf_nodes=20,
                min_samples_leaf=10,
                learning_rate=0.2,
                max_iter=100,
                early_stopping=False,
                categorical_features=list(range(len(CATEGORICAL))),
            ),
        ),
    ]
)
chosen = training_rows(len(frame))
features, labels = frame[CATEGORICAL + NUMERIC], (frame[LABEL] == POSITIVE).to_numpy()
pipeline.fit(features[chosen], labels[chosen])
watch.phase("fit")
probabilities = pipeline.predict_proba(features[~chosen])[:, 1]
auc = roc_auc_score(labels[~chosen], probabilities)
accuracy = accuracy_score(labels[~chosen], probabilities >= 0.5)
watch.phase("evaluate")
joblib.dump(pipeline, sys.argv[2])
watch.phase("save")
watch.report(auc=auc, accuracy=accuracy)
