"""The parameters of the learners that Studio fitted by L-BFGS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from studio.engine.learners.kind import COMMON_RULES, LEAST, SEED, Parameters
from studio.engine.settings import AnyRule, Rule

if TYPE_CHECKING:
    from studio.engine.regularized import Penalty

_TOLERANCE = "Optimization tolerance"
_L1 = "L1 regularization weight"
_L2 = "L2 regularization weight"
_MEMORY = "Memory size for L-BFGS"

LBFGS_RULES: Mapping[str, AnyRule] = {
    _TOLERANCE: Rule(float, 1e-7, LEAST, 1),
    _L1: Rule(float, 1.0, 0, 1e9),
    _L2: Rule(float, 1.0, 0, 1e9),
    _MEMORY: Rule(int, 20, 1, 1000),
    **COMMON_RULES,
}
LBFGS_INERT = frozenset({SEED})  # nothing is drawn


def penalty_of(parameters: Parameters) -> Penalty:
    """Read the parameters."""
    from studio.engine.regularized import Penalty

    l1, l2, tolerance = (float(parameters[name]) for name in (_L1, _L2, _TOLERANCE))
    return Penalty(l1, l2, tolerance, memory=int(parameters[_MEMORY]))
