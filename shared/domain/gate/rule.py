"""What a challenger must show; each value is a key of the section `gate` in models.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from shared.domain.measuring.metrics import METRICS


class Mode(Enum):
    """What the lower bound of the gain has to exclude."""

    NON_INFERIORITY = "non-inferiority"  # a loss greater than the margin
    SUPERIORITY = "superiority"  # any loss


class Policy(Enum):
    """What happens where champion and challenger are not compared on the same rows."""

    COMPARE = "compare"  # of a first model: the published model is the champion
    ABSOLUTE_ONLY = "absolute-only"  # floors and ceilings of output2 decide
    APPROVAL = "approval"  # they must hold, and a person decides
    REFUSE = "refuse"


@dataclass(frozen=True)
class MetricRule:
    """
    What one metric must show on the holdout.

    Attributes:
        margin: How much worse the lower bound may be (non-inferiority), in the metric's units.
        min_gain: The least gain of the point values.
        max_gain: A greater gain is suspicious and held; None for no such bound.
        min_relative_gain: The least gain ÷ max(|champion|, relative_floor); None for no such bound.
        relative_floor: Keeps a champion near zero from making every gain endless.
    """

    metric: str = "AUC"
    margin: float = 0.01
    min_gain: float = 0.0
    max_gain: float | None = None
    min_relative_gain: float | None = None
    relative_floor: float = 0.0
    mode: Mode = Mode.NON_INFERIORITY

    @property
    def sign(self) -> float:
        """+1 where higher is better, −1 where lower is; a gain is positive when better, whatever the metric."""
        return 1.0 if METRICS[self.metric].higher_is_better else -1.0


@dataclass(frozen=True)
class SliceRule:
    """
    Parts of the holdout that are judged on their own: the rows of each value of some columns.

    Attributes:
        columns: Each of their values is a slice.
        margin: How much worse the lower bound may be in a slice; the confidence is shared out among the slices.
        min_rows: A smaller slice is not judged.
        hold_small: Whether a slice that is too small to judge holds the run instead of being reported only.
    """

    columns: tuple[str, ...] = ()
    margin: float = 0.05
    min_rows: int = 500
    hold_small: bool = False


@dataclass(frozen=True)
class GateRule:
    """
    A model's gate.

    Attributes:
        metrics: Each must hold; the first is the one that is reported.
        floors: Metric of output2 → the least value allowed, inclusive.
        ceilings: Metric of output2 → the greatest value allowed, inclusive.
        min_rows: A smaller holdout holds the run.
        group: Column of the holdout whose values are resampled whole; empty where each row stands for itself.
        creep_margin: How much worse than the last approved model the lower bound may be; None for three margins.
        holdout_budget: How many runs may be judged on one holdout before a person has to look; 0 for any number.
        max_overlap: Share of the holdout that may stand in the training data, before a person has to look.
        confidence: Of each one-sided bound.
        replicates: Bootstrap resamples.
        seed: Of the resampling.
    """

    metrics: tuple[MetricRule, ...] = (MetricRule(),)
    floors: Mapping[str, float] = field(default_factory=dict)
    ceilings: Mapping[str, float] = field(default_factory=dict)
    slices: SliceRule = field(default_factory=SliceRule)
    min_rows: int = 100
    group: str = ""
    creep_margin: float | None = None
    holdout_budget: int = 100
    max_overlap: float = 0.01
    first_model: Policy = Policy.COMPARE
    unpaired: Policy = Policy.ABSOLUTE_ONLY
    confidence: float = 0.95
    replicates: int = 1000
    seed: int = 20240831

    @property
    def primary(self) -> MetricRule:
        """The metric that reasons and reports speak of."""
        return self.metrics[0]

    @property
    def metric(self) -> str:
        """Its name."""
        return self.primary.metric

    def as_json(self) -> dict[str, Any]:
        """Return the rule as plain JSON values."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value
