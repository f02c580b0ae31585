"""The report's forms, JSON, HTML and Markdown: nothing loaded, nothing unescaped, nothing left out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from report_samples import REPORTS, ROOT, ROWS, SCHEMA, Page
from reports import CLASSES, HOSTILE, judged, run, subject

from shared.domain.lifecycle.runs import RunState
from shared.pages.content_policy import content_policy
from shared.pages.plots import error_plot, interval_plots
from shared.pages.report_markdown import LINES, report_markdown
from shared.pages.report_page import report_html
from shared.pages.wording import signed, verdict_line
from shared.reporting.facts import report_facts


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_as_its_schema_says(name: str) -> None:
    document = json.loads(json.dumps(REPORTS[name], allow_nan=False))

    assert [error.message for error in SCHEMA.iter_errors(document)] == []


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_loads_nothing_and_escapes_everything(name: str) -> None:
    html = report_html(REPORTS[name])
    page = Page(html)

    assert page.loads == []
    assert HOSTILE in page.text
    assert len(html.encode()) < 2**20
    assert "url(" not in html


@pytest.mark.parametrize("name", REPORTS)
def test_markdown_has_at_most_sixty_lines_and_escapes_everything(name: str) -> None:
    text = report_markdown(REPORTS[name])

    assert len(text.splitlines()) <= LINES == 60
    assert "<img" not in text.replace("\\<", "")
    assert r"\<img src=x onerror=alert(1)\>\|\`\*.csv" in text


def test_the_largest_report_is_a_page_of_less_than_a_megabyte() -> None:
    """As many files as may train together, and slices of many columns."""
    report = REPORTS["with slices"]
    slices = [{**report["slices"][0], "name": f"{'column' * 5} = {'value' * 8} {at}"} for at in range(1000)]
    files = [{**report["data"][0], "name": f"census/{'x' * 50}{at}.csv"} for at in range(500)]

    html = report_html(report | {"slices": slices, "data": files})

    assert len(html.encode()) < 1_000_000
    assert "… and 800 more slices, all of them in the JSON form" in html
    assert html.count("census/xxx") == 500


def test_golden_rows_are_those_that_live_was_asked() -> None:
    assert REPORTS["promoted"]["provenance"]["golden_rows"] == 20
    assert REPORTS["rejected"]["provenance"]["golden_rows"] == 0
    assert "the live endpoint was not changed" in report_html(REPORTS["rejected"])


def test_many_files_and_rules_still_fit_into_the_markdown() -> None:
    report = REPORTS["promoted"]
    crowded = report | {"rules": report["rules"] * 30, "data": report["data"] * 30, "metrics": report["metrics"] * 2}

    text = report_markdown(crowded)

    assert len(text.splitlines()) <= LINES
    assert f"and {30 * len(report['rules']) - 14} more" in text
    assert "and 24 more files" in text


def test_numbers_stand_beside_the_pictures() -> None:
    report = REPORTS["promoted"]
    text = Page(report_html(report)).text

    for model in ("champion", "challenger"):
        assert f"{report['two_class'][model]['auc']:.4f}" in text
        assert f"{report['two_class'][model]['brier']:.4f}" in text
    assert f"{report['verdict']['n_rows']:,}".replace(",", "\u202f") in text
    assert report_html(report).count('role="img"') == 7


def test_the_verdict_comes_first_and_says_how_to_undo_it() -> None:
    html = report_html(REPORTS["promoted"])
    headings = re.findall(r"<h[12]>(.*?)</h[12]>", html)

    assert headings == [
        "census", "Rules", "Gain, with its interval", "Champion and challenger on the same rows", "Where they disagree",
        "Data", "History", "Provenance",
    ]  # fmt: skip
    assert html.index("relearn rollback census --to initial --reason WHY") < html.index("<h2>Rules")


def test_a_held_run_is_decided_by_either_of_two_commands() -> None:
    report = report_facts(subject(judged(ROWS, RunState.HELD), ROWS))

    for command in ("relearn approve census-1 --reason WHY", "relearn reject census-1 --reason WHY"):
        assert f"<code>{command}</code>" in report_html(report)
        assert f"`{command}`" in report_markdown(report)


def test_an_unpaired_verdict_says_so_wherever_it_is_shown() -> None:
    assert "UNPAIRED" in Page(report_html(REPORTS["unpaired"])).text
    assert "UNPAIRED" in report_markdown(REPORTS["unpaired"]).splitlines()[0]


def test_a_run_of_a_model_that_is_no_longer_declared_has_a_report() -> None:
    gone = replace(subject(run(RunState.FAILED, reason="no longer declared"), None), model=None)

    report = report_facts(gone)

    assert list(SCHEMA.iter_errors(json.loads(json.dumps(report)))) == []
    assert "no longer declared" in report_html(report)
    assert "no longer declared" in report_markdown(report)


def test_the_page_shows_the_difference_of_the_confusion_matrices() -> None:
    two_class = REPORTS["promoted"]["two_class"]
    old, new = two_class["champion"]["confusion"], two_class["challenger"]["confusion"]
    table = report_html(REPORTS["promoted"]).partition("<caption>Difference</caption>")[2].partition("</table>")[0]

    shown = re.findall(r'<td class="n (?:right|wrong)">(.*?)</td>', table)

    cells = ("true_positive", "false_negative", "false_positive", "true_negative")
    assert shown == [signed(new[cell] - old[cell], 0) for cell in cells]


def test_the_verdict_names_the_endpoint_that_it_is_about() -> None:
    for name in ("promoted", "unpaired"):
        said = verdict_line(REPORTS[name])
        assert "endpoint “live”" in said
        assert said in Page(report_html(REPORTS[name])).text
        assert said in report_markdown(REPORTS[name])
    gone = report_facts(replace(subject(judged(ROWS), ROWS), model=None))
    assert "its endpoint" in verdict_line(gone)


def test_captions_say_of_how_many_rows_and_how_often_the_holdout_may_be_used_yet() -> None:
    report = report_facts(replace(subject(judged(ROWS), ROWS), holdout_uses=98))
    text = Page(report_html(report)).text

    n_rows = f"{len(ROWS.labels):,}".replace(",", "\u202f")
    for picture in ("ROC", "Precision by recall", "Calibration"):
        assert f"{picture} on {n_rows} rows" in text
    assert report["history"][-1]["n_rows"] == len(ROWS.labels)
    assert "judged on 98 times; 2 of 100 uses are left" in text
    spent = report_facts(replace(subject(judged(ROWS), ROWS), holdout_uses=101))
    assert "; 0 of 100 uses are left" in Page(report_html(spent)).text


def test_the_policy_lets_the_page_show_its_own_style_alone() -> None:
    policy = content_policy(report_html(REPORTS["promoted"]))

    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-\S+'; script-src 'none'; base-uri 'none'; form-action 'none'; "
        r"frame-ancestors 'none'",
        policy,
    )


def test_the_app_starts_without_the_plotting_library() -> None:
    code = "import shared.composition, sys; print([name for name in ('pygal', 'jinja2') if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603

    assert done.stdout.strip() == "[]"


def test_a_run_is_news_until_its_state_was_announced() -> None:
    ended = run(RunState.FAILED)
    told = replace(ended, announcement=ended.announcement.tried(len(ended.stages), ended.created_at).after((), ""))

    assert ended.is_news
    assert not told.is_news
    assert not run(RunState.TRAINING).is_news


def test_a_report_of_many_classes_shows_matrices_recall_and_what_is_mixed_up() -> None:
    report = REPORTS["of many classes"]
    many, text = report["multiclass"], Page(report_html(report)).text

    assert sum(map(sum, many["champion"])) == sum(row["n"] for row in many["recall"]) == many["n_rows"] == 600
    assert all(row["challenger"] > row["champion"] for row in many["recall"])
    assert CLASSES[0] in text
    assert "Mixed up most" in text
    assert report["disagreement"]["rows"][0]["champion"] in CLASSES


def test_a_report_of_numbers_shows_residuals_and_error_by_tenth() -> None:
    report = REPORTS["of numbers"]
    line = report["regression"]

    assert sum(line["champion"]["residuals"]) == sum(line["challenger"]["residuals"]) == 600
    assert [tenth["n"] for tenth in line["by_tenth"]] == [60] * 10
    assert report["metrics"][0]["gain"] > 0 > report["metrics"][0]["challenger"] - report["metrics"][0]["champion"]
    html = report_html(report)
    assert html.count('class="plot-bars"') == 1
    assert html.count('class="plot-curves"') == 2
    dots = error_plot(line).count('class="dot reactive')
    assert dots == len(line["champion"]["points"]) + len(line["challenger"]["points"])


def test_intervals_of_unlike_size_get_axes_of_their_own() -> None:
    row = {"name": "AUC", "gain": 0.01, "lower": 0.0, "upper": 0.02, "margin": 0.01}
    other = {"name": "RMSE", "gain": 40.0, "lower": 10.0, "upper": 70.0, "margin": None}

    drawn = interval_plots([row, other, row | {"name": "Recall"}], "gains")

    assert ["RMSE" in svg for svg in drawn] == [False, True]
    assert "Recall" in drawn[0]


def test_a_margin_is_drawn_across_the_rows_that_have_one_and_no_further() -> None:
    row = {"name": "AUC", "gain": 0.01, "lower": 0.0, "upper": 0.02, "margin": 0.01}

    (svg,) = interval_plots(
        [row, row | {"name": "Recall", "margin": None}, row | {"name": "F", "margin": 0.02}], "gains"
    )
    (line,) = re.findall(r'<g class="series serie-1 [^"]*">(.*?)</g>', svg, re.S)
    spans = [list(map(float, re.findall(r" ([\d.]+)(?= L|$)", path))) for path in re.findall(r' d="M([^"]*)"', line)]

    (first, last) = spans
    assert min(first) == pytest.approx(0, abs=5)
    assert max(first) - min(first) == pytest.approx(max(last) - min(last))
    assert min(last) - max(first) == pytest.approx(max(first) - min(first))  # the row between has no margin
