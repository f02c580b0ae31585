"""The section `drift`: when files unlike the champion's training data are reason enough to retrain."""

from __future__ import annotations

from datetime import timedelta

from shared.declarations.section import Section
from shared.domain.data.contract import Contract
from shared.domain.data.drift import DriftRule


def read_drift(model: Section, contract: Contract) -> DriftRule | None:
    """Read the rule; None where the model has no such section."""
    if not model.holds("drift"):
        return None
    section, plain = model.section("drift"), DriftRule()
    columns, known = section.take("columns", list, []), [column.name for column in contract.columns]
    for name in columns:
        if name not in known:
            section.wrong("columns", f"'{name}' is none of the contract's columns")
    rule = DriftRule(
        threshold=section.number("threshold", plain.threshold, 0.01, 1),
        columns=tuple(map(str, columns)),
        files=section.integer("files", plain.files, 1, 50),
        drifted=section.integer("drifted", plain.drifted, 1, 50),
        min_rows=section.integer("min_rows", plain.min_rows, 1),
        cooldown=timedelta(minutes=section.number("cooldown_min", plain.cooldown / timedelta(minutes=1), 0)),
    )
    if rule.drifted > rule.files:
        section.wrong("drifted", f"asks for {rule.drifted} of {rule.files} files")
    section.close()
    return rule
