"""
The entry script of azureml-inference-server-http: columns and typed values in, probabilities out.

AZUREML_MODEL_DIR holds `pipeline.joblib`. With RELEARN_MODEL naming an `.ilearner`, our predictor scores instead, so
that what remains is the server alone; the checkout has to be on PYTHONPATH then.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

_Score = Callable[[list[str], list[list[Any]]], list[float]]
_score: _Score


def init() -> None:
    """Load the model; the server calls this once per worker."""
    global _score
    ours = os.environ.get("RELEARN_MODEL")
    _score = _predictor(Path(ours)) if ours else _pipeline(Path(os.environ["AZUREML_MODEL_DIR"]))


def run(raw_data: str) -> list[float]:
    """Answer one request."""
    table = json.loads(raw_data)["input_data"]
    return _score(table["columns"], table["data"])


def _pipeline(folder: Path) -> _Score:
    import joblib
    import pandas as pd

    pipeline = joblib.load(folder / "pipeline.joblib")
    return lambda columns, rows: pipeline.predict_proba(pd.DataFrame(rows, columns=columns))[:, 1].tolist()


def _predictor(model: Path) -> _Score:
    from studio.engine.scorer import Scorer

    scorer = Scorer.load(model.read_bytes())
    return lambda columns, rows: [float(row[-1] or "nan") for row in scorer.score(columns, rows)]
