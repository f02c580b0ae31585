"""
The report's pictures, as SVG to be put into a page whose style sheet colours them.

Every picture repeats what a table beside it says. Series come in a fixed order, by which the style sheet knows them:
first the reference lines, then champion, then challenger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

from shared.pages.drawing import Style, pygal

_DROPPED = frozenset({"defs", "desc", "title"})
_SQUARE = {"width": 380, "height": 360, "range": (0, 1), "xrange": (0, 1)}
_ROOM = Style(label_font_size=14, major_label_font_size=14)  # for what the style sheet writes
_LIKE = 30  # times: intervals that differ more get axes of their own
_TENTHS = [0, 0.2, 0.4, 0.6, 0.8, 1]

Json = Mapping[str, Any]


def interval_plots(rows: Sequence[Json], label: str) -> list[str]:
    """Draw intervals, those of like size together: beside one of 10 an interval of 0.01 is a dot."""
    groups: list[list[Json]] = []
    for row in sorted((row for row in rows if row["gain"] is not None), key=_extent):
        fits = groups and _extent(row) <= _LIKE * max(_extent(groups[-1][0]), 1e-12)
        if fits:
            groups[-1].append(row)
        else:
            groups.append([row])
    place = {id(row): n for n, row in enumerate(rows)}
    groups = [sorted(group, key=lambda row: place[id(row)]) for group in groups]
    return [_interval_plot(group, label) for group in sorted(groups, key=lambda group: place[id(group[0])])]


def _extent(row: Json) -> float:
    return max(abs(float(row[key] or 0)) for key in ("gain", "lower", "upper", "margin"))


def _interval_plot(rows: Sequence[Json], label: str) -> str:
    """
    Draw one gain with its interval for each row, the zero line, and in the rows that have one the margin.

    Args:
        rows: `name`, `gain`, `lower`, `upper`, and `margin` or None.
        label: What the picture shows, in words.
    """
    values = [0.0, *(row[key] for row in rows for key in ("lower", "upper", "gain") if row[key] is not None)]
    margins = [-row["margin"] for row in rows if row["margin"] is not None]
    low, high = min([*values, *margins]), max(values)
    room = (high - low or 1.0) * 0.08
    top = len(rows) + 0.5
    chart = pygal.XY(
        **_common(show_dots=False),
        width=760,
        height=70 + 44 * len(rows),
        xrange=(low - room, high + room),
        range=(0.5, top),
        show_y_guides=False,
    )
    places = {len(rows) - n: row for n, row in enumerate(rows)}
    chart.y_labels = [{"label": row["name"], "value": place} for place, row in places.items()]
    chart.add("zero", [(0, 0.5), (0, top)])
    margin = [point for place, row in places.items() for point in _margin_line(row, place)]
    chart.add("margin", margin, allow_interruptions=True)
    for place, row in places.items():
        bounds = [row["gain"] if row[key] is None else row[key] for key in ("lower", "upper")]
        chart.add(row["name"], [(bound, place) for bound in bounds])
    chart.add(
        "gain", [(row["gain"], place) for place, row in places.items()], stroke=False, show_dots=True, dots_size=6
    )
    return _svg(chart, "intervals", label)


def _margin_line(row: Json, place: int) -> list[tuple[float | None, float | None]]:
    """Return the margin of one row, which says nothing of the rows above and below; the line breaks behind it."""
    if row["margin"] is None:
        return []
    return [(-row["margin"], place - 0.5), (-row["margin"], place + 0.5), (None, None)]


def roc_plot(two_class: Json) -> str:
    """Draw both ROC curves over the diagonal of a model that guesses."""
    label = "ROC of champion and challenger: true positive rate by false positive rate"
    return _curves(two_class, "roc", [(0, 0), (1, 1)], label, "false positive rate", "true positive rate")


def precision_recall_plot(two_class: Json) -> str:
    """Draw precision by recall over the share of positive rows."""
    share = two_class["n_positive"] / two_class["n_rows"]
    label = "Precision by recall of champion and challenger"
    return _curves(two_class, "precision_recall", [(0, share), (1, share)], label, "recall", "precision")


def calibration_plot(two_class: Json) -> str:
    """Draw the share of positive rows by score, over the diagonal of perfect calibration."""
    chart = pygal.XY(**_common(), **_SQUARE, x_title="mean score", y_title="share positive", dots_size=3)
    chart.x_labels = chart.y_labels = _TENTHS
    chart.add("perfect", [(0, 0), (1, 1)], show_dots=False)
    for who in ("champion", "challenger"):
        chart.add(who, [(b["mean_score"], b["share_positive"]) for b in two_class[who]["calibration"]])
    return _svg(chart, "curves", "Calibration of champion and challenger: share of positive rows by score")


def lift_plot(two_class: Json) -> str:
    """Draw which share of the positive rows is among the rows with the highest scores, over the line of a guess."""
    label = "Lift of champion and challenger: share of positive rows found by share of rows flagged"
    return _curves(two_class, "lift", [(0, 0), (1, 1)], label, "rows flagged", "positive rows found")


def score_plot(two_class: Json) -> str:
    """Draw how many rows each model gives which score, in the bins of the calibration."""
    chart = pygal.Bar(**_common(), width=760, height=260, x_title="score", y_title="rows", max_scale=6)
    chart.x_labels = [f"{tenth / 10:.1f}–{(tenth + 1) / 10:.1f}" for tenth in range(10)]
    for who in ("champion", "challenger"):
        rows = {round(b["from"] * 10): b["n"] for b in two_class[who]["calibration"]}
        chart.add(who, [rows.get(tenth, 0) for tenth in range(10)])
    return _svg(chart, "bars", "Scores of champion and challenger: rows by score")


def predicted_plot(regression: Json) -> str:
    """Draw predictions by actual values, over the diagonal of a model that is always right."""
    points = [*regression["champion"]["points"], *regression["challenger"]["points"]]
    low, high = min(min(point) for point in points), max(max(point) for point in points)
    around = {"width": 380, "height": 360, "range": (low, high), "xrange": (low, high)}
    chart = pygal.XY(
        **_common(), **around, x_title="actual", y_title="predicted", dots_size=2, stroke=False, max_scale=6
    )
    chart.add("right", [(low, low), (high, high)], stroke=True, show_dots=False)
    for who in ("champion", "challenger"):
        chart.add(who, regression[who]["points"])
    return _svg(chart, "curves", "Predicted by actual values of champion and challenger")


def error_plot(regression: Json) -> str:
    """Draw residuals by predictions, over the line of a model that is always right."""
    points = {
        who: [(predicted, predicted - actual) for actual, predicted in regression[who]["points"]]
        for who in ("champion", "challenger")
    }
    low, high = (pick(x for each in points.values() for x, _ in each) for pick in (min, max))
    size = {"width": 380, "height": 360, "xrange": (low, high)}
    titles = {"x_title": "predicted", "y_title": "predicted − actual"}
    chart = pygal.XY(**_common(), **size, **titles, dots_size=2, stroke=False, max_scale=6)
    chart.add("right", [(low, 0), (high, 0)], stroke=True, show_dots=False)
    for who, each in points.items():
        chart.add(who, each)
    return _svg(chart, "curves", "Residuals by predictions of champion and challenger")


def residual_plot(regression: Json) -> str:
    """Draw how often each model is wrong by how much, in the same bins."""
    edges = regression["bins"]
    middles = [f"{(low + high) / 2:.3g}" for low, high in pairwise(edges)]
    chart = pygal.Bar(**_common(), width=760, height=300, x_title="predicted − actual", y_title="rows", max_scale=6)
    chart.x_labels = middles
    for who in ("champion", "challenger"):
        chart.add(who, regression[who]["residuals"])
    return _svg(chart, "bars", "Residuals of champion and challenger: rows by predicted minus actual")


def history_plot(history: Sequence[Json], metric: str) -> str:
    """
    Draw both values of each run that compared models, oldest first, with marks on what went live: by gate or person.

    Empty where there are fewer than two of them.
    """
    history = [run for run in history if not run["unpaired"]]
    if len(history) < 2:
        return ""
    chart = pygal.Line(**_common(), width=760, height=260, y_title=metric, dots_size=2.5, max_scale=6)
    is_one_day = len({run["at"][:10] for run in history}) == 1
    chart.x_labels = [run["at"][11:16] if is_one_day else run["at"][5:10] for run in history]
    chart.add("champion", [run["champion"] for run in history])
    chart.add("challenger", [run["challenger"] if run["kind"] == "training" else None for run in history])
    for name, kind in (("promoted", "training"), ("rolled back", "rollback"), ("overridden", "override")):
        marks = [run["challenger"] if (run["kind"], run["state"]) == (kind, "PROMOTED") else None for run in history]
        chart.add(name, marks, stroke=False, dots_size=6)
    label = f"{metric} of champion and challenger over the last runs; promotions, rollbacks and overrides are marked"
    return _svg(chart, "history", label)


def _curves(two_class: Json, key: str, reference: list[tuple[float, float]], label: str, x: str, y: str) -> str:
    chart = pygal.XY(**_common(show_dots=False), **_SQUARE, x_title=x, y_title=y)
    chart.x_labels = chart.y_labels = _TENTHS
    chart.add("reference", reference)
    for who in ("champion", "challenger"):
        chart.add(who, two_class[who][key])
    return _svg(chart, "curves", label)


def _common(**more: Any) -> dict[str, Any]:
    return {
        "js": (),
        "css": (),
        "no_prefix": True,
        "show_legend": False,
        "margin": 12,
        "explicit_size": True,
        "style": _ROOM,
        "truncate_label": -1,
    } | more


def _svg(chart: Any, name: str, label: str) -> str:
    """Render without what the page has already: styles, scripts, tooltips; with a label for who cannot see it."""
    root = chart.render_tree()
    _strip(root)
    del root.attrib["id"], root.attrib["width"], root.attrib["height"]
    root.set("class", f"plot-{name}")
    root.set("role", "img")
    root.set("aria-label", label)
    return ET.tostring(root, encoding="unicode")


def _strip(element: ET.Element) -> None:
    for child in list(element):
        if not isinstance(child.tag, str) or child.tag in _DROPPED or "tooltip" in child.get("class", "").split():
            element.remove(child)
        else:
            _strip(child)
    element.attrib.pop("style", None)
