"""What an experiment may do beside training one model: compare, cross-validate, tune. Read from the declaration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from studio.engine.design import Design
from studio.engine.errors import shown
from studio.engine.learners import Learner, quantiles_of, read_learner
from studio.engine.ranking import METRICS
from studio.engine.sections import Section
from studio.engine.settings import AnyRule, Rule, Setting

_FOLD_RULES: Mapping[str, AnyRule] = {
    "folds": Rule(int, 10, 2, 100),
    "seed": Rule(int, 0),
    "stratified": Rule(bool, False),
}
_SWEEP_RULES: Mapping[str, AnyRule] = {
    "runs": Rule(int, 5, 1, 1000),
    "seed": Rule(int, 0),
    "fraction": Rule(float, 0.7, 0.01, 0.99),
}


@dataclass(frozen=True)
class CrossValidation:
    """Cross-Validate Model: rows are dealt to `folds` by `seed`, per label when `stratified`."""

    folds: int
    seed: int
    stratified: bool


@dataclass(frozen=True)
class Range:
    """Where a parameter's values are drawn from: `choices`, else between two numbers, evenly or by their logarithms."""

    choices: tuple[Setting, ...] = ()
    low: float = 0
    high: float = 0
    logarithmic: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Tuning:
    """
    Tune Model Hyperparameters, random sweep: `runs` draws by `seed` from the `ranges` of parameters.

    Each draw trains on `fraction` of the training rows; the others rank it by `metric`.
    """

    runs: int
    seed: int
    fraction: float
    metric: str
    ranges: Mapping[str, Range]


@dataclass(frozen=True)
class Options:
    """The options of one experiment; None where it has no such section."""

    compared: Learner | None
    cross_validation: CrossValidation | None
    tuning: Tuning | None


def skip_options(root: Section) -> None:
    """Take the sections as read where there is no design to check them against."""
    for key in ("compare", "cross_validate", "tune"):
        root.section(key)


def read_options(root: Section, design: Design) -> Options:
    """Read the sections `compare`, `cross_validate` and `tune`; problems are added to them."""
    return Options(_read_compared(root, design), _read_cross_validation(root, design), _read_tuning(root, design))


def _read_compared(root: Section, design: Design) -> Learner | None:
    section = root.section("compare")
    learner = read_learner(section)
    if learner is not None and _columns(learner) != _columns(design.learner):
        section.report("name", f"'{learner.name}' has other metrics than '{design.learner.name}': they make no table")
    return learner


def _columns(learner: Learner) -> tuple[object, ...]:
    """What tells tables of metrics apart; values with a spread and without have one table."""
    return *METRICS[learner.kind.answers][:5], quantiles_of(learner.parameters)


def _read_cross_validation(root: Section, design: Design) -> CrossValidation | None:
    section = root.section("cross_validate")
    if "cross_validate" not in root.values:
        return None
    options = CrossValidation(**section.settings(_FOLD_RULES))  # type: ignore[arg-type]  # each rule checked its kind
    section.close()
    if options.stratified and not design.learner.task.has_classes:
        section.report("stratified", "a number has no classes to stratify by: leave it out")
    return options


def _read_tuning(root: Section, design: Design) -> Tuning | None:
    section = root.section("tune")
    if "tune" not in root.values:
        return None
    known = METRICS[design.learner.kind.answers]
    metric = section.text("metric", known[0])
    if metric not in known:
        section.report("metric", f"expected one of {list(known)}, got {shown(metric)}")
    settings = section.settings(_SWEEP_RULES)
    ranges = _read_ranges(section.section("ranges", required=True), design.learner.kind.rules)
    section.close()
    return Tuning(**settings, metric=metric, ranges=ranges)  # type: ignore[arg-type]  # each rule checked its kind


def _read_ranges(section: Section, rules: Mapping[str, AnyRule]) -> dict[str, Range]:
    ranges = {}
    for name, value in section.items():
        rule = rules.get(name)
        if rule is None:
            section.report(name, f"the learner has no such parameter; it has {list(rules)}")
        elif isinstance(value, list):
            ranges[name] = _choices(section, name, rule, value)
        elif isinstance(rule, Rule) and rule.kind is not bool and isinstance(value, dict):
            ranges[name] = _interval(section.section(name), rule)
        else:
            section.report(name, f"expected a list of values, or from and to, got {shown(value)}")
    return ranges


def _choices(section: Section, name: str, rule: AnyRule, values: list[object]) -> Range:
    accepted = []
    for value in values:
        try:
            accepted.append(rule.accept(value))
        except ValueError as problem:
            section.report(name, str(problem))
    if not values:
        section.report(name, "expected at least one value")
    return Range(choices=tuple(accepted))


def _interval(section: Section, rule: Rule) -> Range:
    bounds = section.settings({"from": replace(rule, default=rule.low), "to": replace(rule, default=rule.high)})
    low, high, logarithmic = float(bounds["from"]), float(bounds["to"]), section.flag("logarithmic")
    section.close()
    if low > high or (logarithmic and low <= 0):
        section.report("from", f"expected a number{' above 0' if logarithmic else ''} up to {high:g}, got {low:g}")
    return Range(low=low, high=high, logarithmic=logarithmic, whole=rule.kind is int)
