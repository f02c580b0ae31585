"""What a model predicts: which labels fit it, and which measures judge it."""

from __future__ import annotations

from enum import Enum


class Task(Enum):
    """The kind of prediction; the value is what `models.toml` says."""

    TWO_CLASS = "two-class"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
