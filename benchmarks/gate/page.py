"""The comparison as a page: a table for each scenario, and a plot of what was served."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.gate.rules import OURS, RULES, SHIPPED_BY
from benchmarks.gate.world import FILE_ROWS, HOLDOUT_ROWS, SMALL_ROWS, TEST_ROWS
from shared.pages.drawing import Style, pygal

if TYPE_CHECKING:
    from benchmarks.gate.comparison import Tally

_PAGE, _PLOT = "gate-comparison.md", "gate-comparison-{}.svg"
_COLOURS = ("#999999", "#E69F00", "#56B4E9", "#CC79A7", "#F0E442", "#0072B2", "#D55E00", "#009E73")  # Okabe and Ito's
_INTRODUCTION = """# Gates compared

Eight rules decide the same retrains: what would each have left in production? {source}; {histories} histories of
{weeks} weekly retrains for each scenario (`make bench ONLY=gate`). A model is trained each week with LightGBM from a
file of {file_rows} rows; of ten files one has 30 % of its labels turned round, one has {small_rows} rows only, one
holds people under 30 only. Rules see {holdout_rows} holdout rows; the truth is the AUC on {test_rows} other rows, which
no rule sees. *Wrong* means by more than half a percentage point of that truth. In *drift* the labels of people over 40
turn round little by little (40 % by the end), and the holdout is fresh each week; in *steady* it is the same all the
time, as it mostly is. Counts are means of the histories.
"""


def write_page(
    results: Mapping[str, Mapping[str, Sequence[Tally]]], source: str, *, weeks: int, quick: bool, target: Path
) -> str:
    """Write the page and its plots; return the page's text."""
    histories = len(next(iter(next(iter(results.values())).values())))
    lines = [
        _INTRODUCTION.format(
            source=source[0].upper() + source[1:], histories=histories, weeks=weeks, file_rows=f"{FILE_ROWS:,}",
            small_rows=SMALL_ROWS, holdout_rows=f"{HOLDOUT_ROWS:,}", test_rows=f"{TEST_ROWS:,}",
        )
    ]  # fmt: skip
    if quick:
        lines += ["**A quick run: it shows that everything works; its figures are not to be quoted.**", ""]
    for scenario, by_rule in results.items():
        plot = _PLOT.format(scenario)
        lines += [
            f"## {scenario.capitalize()}",
            "",
            *_table(by_rule),
            "",
            f"![What each rule served, {scenario}]({plot})",
            "",
        ]
        (target / plot).write_bytes(_plot(scenario, by_rule))
    lines += ["## Who ships what", "", "| rule | shipped by |", "| --- | --- |"]
    lines += [f"| {rule} | {SHIPPED_BY[rule]} |" for rule in RULES]
    text = "\n".join(lines) + "\n"
    (target / _PAGE).write_text(text, encoding="utf-8")
    return text


def _table(by_rule: Mapping[str, Sequence[Tally]]) -> list[str]:
    lines = [
        "| rule | promotions | wrong promotions | of them from bad files | wrong rejections "
        "| mean AUC served (± s.e.) | least AUC served |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for rule, tallies in by_rule.items():
        means = np.array([np.mean(tally.served) for tally in tallies])
        error = means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else 0.0
        cells = [
            f"**{rule}**" if rule == OURS else rule,
            *(_mean(tallies, count) for count in (_promotions, _wrong_promotions, _bad_files, _wrong_rejections)),
            f"{means.mean():.4f} ± {error:.4f}",
            f"{np.mean([min(tally.served) for tally in tallies]):.4f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _promotions(tally: Tally) -> int:
    return tally.promotions


def _wrong_promotions(tally: Tally) -> int:
    return tally.wrong_promotions


def _bad_files(tally: Tally) -> int:
    return tally.bad_files


def _wrong_rejections(tally: Tally) -> int:
    return tally.wrong_rejections


def _mean(tallies: Sequence[Tally], count: Callable[[Tally], int]) -> str:
    return f"{np.mean([count(tally) for tally in tallies]):.1f}"


def _plot(scenario: str, by_rule: Mapping[str, Sequence[Tally]]) -> bytes:
    style = Style(
        background="white", plot_background="white", colors=_COLOURS, font_family="sans-serif", stroke_width="2.5"
    )
    chart = pygal.Line(
        style=style, width=1000, height=560, show_dots=False, js=(), legend_at_bottom=True, legend_at_bottom_columns=2,
        x_title="week", y_title="true AUC served",
        title=f"What each rule serves: {scenario}", show_minor_x_labels=False, disable_xml_declaration=False,
    )  # fmt: skip
    weeks = len(next(iter(by_rule.values()))[0].served)
    chart.uuid = scenario  # else a random one, and equal figures would give unequal files
    chart.x_labels = [str(week) for week in range(1, weeks + 1)]
    chart.x_labels_major = [str(week) for week in range(5, weeks + 1, 5)]
    for rule, tallies in by_rule.items():
        served = np.mean([tally.served for tally in tallies], axis=0)
        dashes = None if rule == OURS else "6, 4"
        chart.add(rule, served.tolist(), stroke_style={"dasharray": dashes} if dashes else None)
    # The page is read, not played with; and a comment holds the day of the run.
    return re.sub(rb"<script.*?</script>|<!--.*?-->", b"", chart.render(), flags=re.DOTALL).rstrip() + b"\n"
