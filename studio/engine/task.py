"""What a learner is to predict."""

from __future__ import annotations

from enum import Enum


class Task(Enum):
    """The kinds of experiment; the value is how Studio's learners and error texts name them."""

    TWO_CLASS = "two-class"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"

    @property
    def has_classes(self) -> bool:
        """Whether the label is one of a few names rather than a number."""
        return self is not Task.REGRESSION
