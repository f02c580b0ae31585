"""The section `gate`: what a challenger must show."""

from __future__ import annotations

from shared.declarations.section import Section
from shared.domain.gate import GateRule, MetricRule, Mode, Policy, SliceRule
from shared.domain.measuring.measures import MEASURES
from shared.domain.measuring.metrics import METRICS, metrics_of
from shared.domain.task import Task

_DEFAULT_METRIC = {
    Task.TWO_CLASS: "AUC",
    Task.MULTICLASS: "Overall accuracy",
    Task.REGRESSION: "Root Mean Squared Error",
}
_RATE_MARGIN = 0.01


def read_gate(section: Section, task: Task) -> GateRule | None:
    """Read the rule; None where the file says `gate = "none"`."""
    if section.take("gate", (dict, str), "") == "none":
        return None
    if not section.holds_table("gate"):
        section.wrong("gate", 'expected a section, or gate = "none" to promote whatever was trained')
        return None
    return read_rule(section.section("gate"), task)


def read_rule(gate: Section, task: Task) -> GateRule:
    """Read a rule from the section `gate` itself."""
    plain = GateRule()
    also = gate.section("also", {})
    others = tuple(_other_metric(also.section(str(name)), task, str(name)) for name in gate.table("also", {}))
    rule = GateRule(
        metrics=(_metric_rule(gate, task, gate.text("metric", _DEFAULT_METRIC[task])), *others),
        floors=_bounds(gate, "floors", task),
        ceilings=_bounds(gate, "ceilings", task),
        slices=_slice_rule(gate.section("slices", {})),
        min_rows=gate.integer("min_rows", plain.min_rows, 1),
        group=gate.text("group", ""),
        creep_margin=_optional(gate, "creep_margin", 0),
        holdout_budget=gate.integer("holdout_budget", plain.holdout_budget, 0),
        max_overlap=gate.number("max_overlap", plain.max_overlap, 0, 1),
        first_model=Policy(gate.choice("first_model", (p.value for p in Policy), plain.first_model.value)),
        unpaired=Policy(
            gate.choice("unpaired", (p.value for p in Policy if p is not Policy.COMPARE), plain.unpaired.value)
        ),
        confidence=gate.number("confidence", plain.confidence, 0.5, 0.9999),
        replicates=gate.integer("replicates", plain.replicates, 100, 100_000),
        seed=gate.integer("seed", plain.seed, 0),
    )
    gate.close()
    return rule


def _metric_rule(section: Section, task: Task, metric: str) -> MetricRule:
    if metric not in MEASURES[task]:
        known = ", ".join(MEASURES[task])
        section.wrong(
            "metric", f"'{metric}' cannot be measured on a holdout of a {task.value} model; known are {known}"
        )
        metric = _DEFAULT_METRIC[task]
    rate = METRICS[metric].is_rate
    if not rate and not section.holds("margin"):
        section.wrong("margin", f"has no default for {metric}, which is no rate; declare it in the metric's units")
    plain = MetricRule()
    relative = _optional(section, "min_relative_gain", -1e308)
    if relative is not None and not section.holds("relative_floor"):
        section.wrong(
            "relative_floor", "goes with min_relative_gain: the least champion value that a gain is divided by"
        )
    return MetricRule(
        metric=metric,
        margin=section.number("margin", _RATE_MARGIN, 0),
        min_gain=section.number("min_gain", plain.min_gain),
        max_gain=_optional(section, "max_gain", 0),
        min_relative_gain=relative,
        relative_floor=section.number("relative_floor", plain.relative_floor, 0),
        mode=Mode(section.choice("mode", (mode.value for mode in Mode), plain.mode.value)),
    )


def _other_metric(section: Section, task: Task, metric: str) -> MetricRule:
    rule = _metric_rule(section, task, metric)
    section.close()
    return rule


def _slice_rule(section: Section) -> SliceRule:
    plain = SliceRule()
    columns = section.take("columns", list, [])
    if not all(isinstance(column, str) for column in columns):
        section.wrong("columns", "expected a list of texts")
    rule = SliceRule(
        columns=tuple(map(str, columns)),
        margin=section.number("margin", plain.margin, 0),
        min_rows=section.integer("min_rows", plain.min_rows, 1),
        hold_small=bool(section.take("hold_small", bool, plain.hold_small)),
    )
    section.close()
    return rule


def _bounds(gate: Section, name: str, task: Task) -> dict[str, float]:
    section, known = gate.section(name, {}), metrics_of(task)
    bounds = {str(metric): section.number(str(metric), None) for metric in gate.table(name, {})}
    for metric in bounds:
        if metric not in known:
            gate.wrong(
                f"{name}.{metric}", f"is no metric of a {task.value} model's output2; known are {', '.join(known)}"
            )
        elif name == "floors" and not METRICS[metric].higher_is_better:
            gate.wrong(f"{name}.{metric}", "lower is better there; write the greatest value allowed under `ceilings`")
    return bounds


def _optional(section: Section, name: str, low: float) -> float | None:
    return section.number(name, 0.0, low) if section.holds(name) else None
