"""
Fits the peers' scoring pipeline and writes what the comparison needs.

    python build_model.py ADULT.csv FOLDER N_TREES

FOLDER gets `pipeline.joblib`; `service_N.json` and `peer_N.json`, requests of N rows in either wire format; and
`expected.json`, the pipeline's probabilities. The learner has the service's settings and sees the service's rows, so
the trees are the same.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from adult import CATEGORICAL, LABEL, NUMERIC, POSITIVE, training_rows
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

source, folder, n_trees = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
frame = pd.read_csv(source)
frame[CATEGORICAL] = frame[CATEGORICAL].astype(object)
levels = [sorted(frame[name].unique()) for name in CATEGORICAL]
encoder = OrdinalEncoder(categories=levels, handle_unknown="use_encoded_value", unknown_value=np.nan)
trees = LGBMClassifier(
    num_leaves=20,
    min_child_samples=10,
    learning_rate=0.2,
    n_estimators=n_trees,
    random_state=0,
    n_jobs=1,
    deterministic=True,
    force_col_wise=True,
    verbose=-1,
)
pipeline = Pipeline(
    [
        ("columns", ColumnTransformer([("text", encoder, CATEGORICAL), ("number", "passthrough", NUMERIC)])),
        ("trees", trees),
    ]
)
chosen = training_rows(len(frame))
features, labels = frame[CATEGORICAL + NUMERIC], (frame[LABEL] == POSITIVE).to_numpy().astype(int)
pipeline.fit(features[chosen], labels[chosen], trees__categorical_feature=list(range(len(CATEGORICAL))))

folder.mkdir(parents=True, exist_ok=True)
joblib.dump(pipeline, folder / "pipeline.joblib")
rows = frame.drop(columns=LABEL)[~chosen].iloc[:100]
columns = list(rows.columns)
for n_rows in (1, 100):
    values = json.loads(rows.iloc[:n_rows].to_json(orient="values"))
    texts = [[str(cell) for cell in row] for row in values]
    service = {"Inputs": {"input1": {"ColumnNames": columns, "Values": texts}}, "GlobalParameters": {}}
    peer = {"input_data": {"columns": columns, "data": values}}
    (folder / f"service_{n_rows}.json").write_text(json.dumps(service))
    (folder / f"peer_{n_rows}.json").write_text(json.dumps(peer))
(folder / "expected.json").write_text(json.dumps(pipeline.predict_proba(rows)[:, 1].tolist()))
