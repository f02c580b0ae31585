"""The section `costs`: what right and wrong answers of a two-class model cost."""

from __future__ import annotations

from shared.declarations.section import Section
from shared.domain.model import Costs
from shared.domain.task import Task

_MOST = 1e12  # all rows' sum stays a number that JSON can say


def read_costs(model: Section, task: Task) -> Costs | None:
    """Read the costs; None where the model declares none."""
    if not model.holds("costs"):
        return None
    section = model.section("costs")
    costs = Costs(
        false_positive=section.number("false_positive", None, -_MOST, _MOST),
        false_negative=section.number("false_negative", None, -_MOST, _MOST),
        true_positive=section.number("true_positive", 0.0, -_MOST, _MOST),
        true_negative=section.number("true_negative", 0.0, -_MOST, _MOST),
        unit=section.text("unit", ""),
    )
    section.close()
    if task is not Task.TWO_CLASS:
        model.wrong("costs", f"only a two-class model has false positives; this one's task is {task.value}")
    return costs
