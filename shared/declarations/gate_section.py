"""The section `gate`: what a challenger must show."""

from __future__ import annotations

from shared.declarations.section import Section
from shared.domain.gate import GateRule
from shared.domain.metrics import KNOWN
from shared.domain.paired import MEASURES


def read_gate(section: Section) -> GateRule | None:
    """Read the rule; None where the file says `gate = "none"`."""
    if section.take("gate", (dict, str), None) == "none":
        return None
    if not section.holds_table("gate"):
        section.wrong("gate", 'expected a section, or gate = "none" to promote whatever was trained')
        return None
    gate = section.section("gate")
    rule = GateRule(
        metric=gate.text("metric", "AUC"),
        margin=gate.number("margin", 0.01, 0),
        min_gain=gate.number("min_gain", 0.0),
        floors={str(k): gate.section("floors").number(str(k), None) for k in gate.table("floors", {})},
        confidence=gate.number("confidence", 0.95, 0.5, 0.9999),
        replicates=int(gate.number("replicates", 1000, 100, 100_000)),
        seed=int(gate.number("seed", GateRule.seed, 0)),
    )
    if rule.metric not in MEASURES:
        gate.wrong(
            "metric", f"'{rule.metric}' cannot be measured on a holdout; known are {', '.join(sorted(MEASURES))}"
        )
    for name in rule.floors.keys() - KNOWN:
        gate.wrong(f"floors.{name}", f"is no metric of output2; known are {', '.join(sorted(KNOWN))}")
    gate.close()
    return rule
