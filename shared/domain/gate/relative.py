"""The paired rule: what champion and challenger show on the same rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.domain.gate.rule import GateRule, MetricRule, Mode
from shared.domain.gate.verdict import Check, Fault, Part, Severity, written
from shared.domain.measuring.paired import Contrast, PairedScores, Question, compare

_CREEP_MARGINS = 3.0


@dataclass(frozen=True)
class Findings:
    """What the comparisons show: one part for each metric, for each slice, and for the last approved model."""

    metrics: tuple[Part, ...]
    slices: tuple[Part, ...]
    anchor: Part | None
    checks: tuple[Check, ...]


def compare_models(rows: PairedScores, rule: GateRule) -> Findings:
    """Make every comparison that a rule asks for, all on the same resamples."""
    masks = dict(rows.slices)
    judged = {name: mask for name, mask in masks.items() if int(mask.sum()) >= rule.slices.min_rows}
    questions = [Question(part.metric, rows.champion) for part in rule.metrics]
    questions += [Question(rule.metric, rows.champion, mask) for mask in judged.values()]
    if rows.anchor is not None:
        questions.append(Question(rule.metric, rows.anchor))
    contrasts = compare(questions, rows, replicates=rule.replicates, seed=rule.seed)
    by_metric, rest = contrasts[: len(rule.metrics)], contrasts[len(rule.metrics) :]
    slices = _slices(masks, dict(zip(judged, rest, strict=False)), rule)
    anchor = _anchor(rest[-1], rows.anchor_name, rule) if rows.anchor is not None else None
    pairs = [_metric(contrast, part, rule) for contrast, part in zip(by_metric, rule.metrics, strict=True)]
    checks = [check for _, made in pairs for check in made] + [_slice_check(part, rule) for part in slices]
    if anchor is not None:
        checks.append(_bound_check(f"against the {anchor.name}", anchor))
    return Findings(tuple(part for part, _ in pairs), slices, anchor, tuple(checks))


def _metric(contrast: Contrast, part: MetricRule, rule: GateRule) -> tuple[Part, list[Check]]:
    margin = 0.0 if part.mode is Mode.SUPERIORITY else part.margin
    measured = _part(contrast.metric, contrast, part, rule.confidence, margin)
    gain, lower, least = measured.gain, measured.lower, 0.0 - margin
    percent = f"{100 * rule.confidence:g} %"
    checks = [
        Check(f"gain in {part.metric} ≥ {written(part.min_gain)}", gain, part.min_gain, _at_least(gain, part.min_gain)),
        Check(
            f"{percent} lower bound of the gain in {part.metric} > {written(least)}", lower, least, _above(lower, least)
        ),
    ]
    if part.min_relative_gain is not None and measured.champion is not None and gain is not None:
        base = max(abs(measured.champion), part.relative_floor)
        relative = gain / base if base > 0 else float("nan")
        met = _at_least(relative, part.min_relative_gain)
        checks.append(
            Check(
                f"relative gain in {part.metric} ≥ {written(part.min_relative_gain)}",
                relative,
                part.min_relative_gain,
                met,
            )
        )
    if part.max_gain is not None:
        believable = gain is not None and gain <= part.max_gain
        said = f"gain in {part.metric} ≤ {written(part.max_gain)}, more would be too good to be true"
        checks.append(Check(said, gain, part.max_gain, believable, Severity.HOLD))
    return measured, checks


def _slices(masks: dict[str, np.ndarray], judged: dict[str, Contrast], rule: GateRule) -> tuple[Part, ...]:
    """Measure each slice; with k judged, each bound gets the k-th part of the error that one alone would have."""
    confidence = 1 - (1 - rule.confidence) / max(1, len(judged))
    parts = []
    for name, mask in masks.items():
        if name not in judged:
            parts.append(Part(name, rule.metric, int(mask.sum()), state="too small"))
            continue
        part = _part(name, judged[name], rule.primary, confidence, rule.slices.margin)
        parts.append(part)
    return tuple(parts)


def _anchor(contrast: Contrast, name: str, rule: GateRule) -> Part:
    margin = _CREEP_MARGINS * rule.primary.margin if rule.creep_margin is None else rule.creep_margin
    return _part(name, contrast, rule.primary, rule.confidence, margin)


def _part(name: str, contrast: Contrast, part: MetricRule, confidence: float, margin: float) -> Part:
    gain = part.sign * contrast.difference
    lower, upper = sorted(part.sign * bound for bound in contrast.bounds(confidence))
    state = "not judged" if np.isnan(gain) else "passed" if lower > -margin else "failed"
    return Part(
        name, part.metric, contrast.n_rows, contrast.other, contrast.challenger, gain, lower, upper, margin, state
    )


def _slice_check(part: Part, rule: GateRule) -> Check:
    if part.state == "too small":
        severity = Severity.HOLD if rule.slices.hold_small else Severity.REPORT
        least = float(rule.slices.min_rows)
        return Check(f"slice {part.name} has ≥ {least:g} rows", float(part.n_rows), least, False, severity)
    if part.state == "not judged":  # enough rows, and a person looks at what the rule could not
        said = f"slice {part.name} has a value of {part.metric} in both models"
        return Check(said, None, None, False, Severity.HOLD, Fault.SLICE_UNDEFINED)
    return _bound_check(f"slice {part.name}", part)


def _bound_check(what: str, part: Part) -> Check:
    least = 0.0 - (part.margin or 0.0)
    said = f"{what}: lower bound of the gain in {part.metric} > {written(least)}"
    return Check(said, part.lower, least, _above(part.lower, least))


def _at_least(value: float | None, bound: float) -> bool:
    return value is not None and value >= bound


def _above(value: float | None, bound: float) -> bool:
    return value is not None and value > bound
