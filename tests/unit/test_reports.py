"""The report: the same facts as JSON, HTML and Markdown; nothing loaded, nothing unescaped, nothing left out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import jsonschema_rs
import numpy as np
import pytest
from reports import CLASSES, HOSTILE, census, judged, of_many_classes, of_numbers, run, scores, subject

from shared.domain.data.contract import Column, Contract, Kind
from shared.domain.data.drift import Profile, spread
from shared.domain.gate import GateRule
from shared.domain.lifecycle.runs import RunKind, RunState
from shared.domain.measuring.paired import PairedScores
from shared.domain.model import Price
from shared.domain.task import Task
from shared.pages.content_policy import content_policy
from shared.pages.plots import error_plot, history_plot, interval_plots, score_plot
from shared.pages.report_markdown import LINES, report_markdown
from shared.pages.report_page import report_html
from shared.pages.wording import signed, verdict_line
from shared.reporting.cost import cost_facts
from shared.reporting.disagreement import disagreement_facts
from shared.reporting.facts import report_facts
from shared.reporting.labels import label_facts
from shared.reporting.two_class import two_class_facts

ROOT = Path(__file__).parents[2]
SCHEMA = jsonschema_rs.validator_for(json.loads((ROOT / "docs" / "report.schema.json").read_text()))
ROWS = scores()
SLICED = replace(ROWS, slices={"sex = <Female>": np.arange(2000) % 2 == 0, "sex = Male": np.arange(2000) < 40})

REPORTS = {
    "promoted": report_facts(subject(judged(ROWS), ROWS)),
    "rejected": report_facts(subject(judged(scores(better=False), RunState.REJECTED), scores(better=False))),
    "of many classes": report_facts(subject(judged(of_many_classes()), of_many_classes())),
    "of numbers": report_facts(subject(judged(of_numbers()), of_numbers())),
    "with slices": report_facts(subject(judged(SLICED), SLICED)),
    "failed before it was judged": report_facts(subject(run(RunState.FAILED, reason="training failed"), None)),
    "unpaired": report_facts(
        subject(run(verdict={"outcome": "PROMOTE", "metric": "AUC", "paired": False, "checks": [], "n_rows": 0}), None)
    ),
}


class Page(HTMLParser):
    """Collects what a page would load or run, and what it says."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe", "object", "image", "use", "base", "form"):
            self.loads.append((tag, str(attrs)))
        self.loads += [(tag, name) for name, _ in attrs if name in ("src", "href", "style") or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


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


def test_the_lift_of_a_model_follows_from_its_auc_and_the_share_of_positive_rows() -> None:
    two = REPORTS["promoted"]["two_class"]
    share = two["n_positive"] / two["n_rows"]

    for who in ("champion", "challenger"):
        flagged, found = zip(*two[who]["lift"], strict=True)
        assert (flagged[0], found[0], flagged[-1], found[-1]) == (0, 0, 1, 1)
        expected = share / 2 + (1 - share) * two[who]["auc"]
        assert float(np.trapezoid(found, flagged)) == pytest.approx(expected, abs=2e-3)


def test_scores_are_counted_in_ten_bins_empty_ones_included() -> None:
    two = REPORTS["promoted"]["two_class"]
    bins = [one | {"n": 7} for one in two["champion"]["calibration"] if one["from"] in (0.2, 0.9)]

    svg = score_plot(two | {"champion": two["champion"] | {"calibration": bins}})

    heights = [float(height) for height in re.findall(r'<rect [^>]*height="([0-9.]+)"[^>]*class="rect', svg)]
    assert len(heights) == 20
    assert [height > 0 for height in heights[:10]] == [n in (2, 9) for n in range(10)]


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


def test_an_error_on_rows_that_were_scored_is_not_called_unpaired() -> None:
    broken = replace(ROWS, challenger=np.full_like(ROWS.challenger, np.nan))
    report = report_facts(subject(judged(broken, RunState.FAILED), broken))

    assert report["verdict"]["outcome"] == "ERROR"
    assert "UNPAIRED" not in Page(report_html(report)).text
    assert "UNPAIRED" not in report_markdown(report)


def test_provenance_is_of_the_rule_and_the_holdout_that_were_judged_by() -> None:
    stricter = replace(subject(judged(ROWS), ROWS), model=replace(census(), gate=GateRule(min_rows=99_999)))

    source = report_facts(stricter)["provenance"]

    assert source == REPORTS["promoted"]["provenance"]
    assert (source["rule"]["min_rows"], source["holdout_sha256"]) == (100, "cd" * 32)
    assert f"version {'cd' * 8}" in Page(report_html(REPORTS["promoted"])).text
    assert f"holdout `{'cd' * 8}`" in report_markdown(REPORTS["promoted"])
    assert "none was applied" in report_html(REPORTS["failed before it was judged"])


def test_a_run_of_a_model_that_is_no_longer_declared_has_a_report() -> None:
    gone = replace(subject(run(RunState.FAILED, reason="no longer declared"), None), model=None)

    report = report_facts(gone)

    assert list(SCHEMA.iter_errors(json.loads(json.dumps(report)))) == []
    assert "no longer declared" in report_html(report)
    assert "no longer declared" in report_markdown(report)


def test_curves_and_counts_are_those_of_the_scores() -> None:
    rows = PairedScores(
        np.array([True, True, False, False]), np.array([0.9, 0.4, 0.6, 0.1]), np.array([0.9, 0.8, 0.2, 0.1])
    )

    facts = two_class_facts(rows)

    assert facts["champion"]["auc"] == pytest.approx(0.75)
    assert facts["challenger"]["auc"] == pytest.approx(1.0)
    assert facts["champion"]["confusion"] == {
        "true_positive": 1, "false_positive": 1, "false_negative": 1, "true_negative": 1,
    }  # fmt: skip
    assert facts["champion"]["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)
    assert facts["champion"]["roc"][0] == [0, 0]
    assert facts["champion"]["roc"][-1] == [1, 1]


def test_values_of_few_rows_are_those_worked_out_by_hand() -> None:
    labels = np.array([True, True, False, False, False])
    champion, challenger = np.array([0.95, 0.42, 0.61, 0.18, 0.68]), np.array([0.91, 0.83, 0.24, 0.12, 0.71])

    facts = two_class_facts(PairedScores(labels, champion, challenger))["champion"]
    apart = disagreement_facts(PairedScores(labels, champion, challenger), ())

    # two negative rows share the bin [0.6, 0.7), with 0.645 on average; each other row has a bin of its own
    assert facts["calibration_error"] == pytest.approx((0.05 + 0.58 + 2 * 0.645 + 0.18) / 5)
    # from the highest score down: hit, false alarm, false alarm, hit, false alarm
    points = [[0.5, 1.0], [0.5, 0.5], [0.5, 0.33333], [1.0, 0.5], [1.0, 0.4]]
    assert facts["precision_recall"] == points
    # another label: row 2 put right, row 3 put right; row 5 stays wrong
    assert (apart["n_rows"], apart["n_differ"], apart["n_better"], apart["n_worse"]) == (5, 2, 2, 0)
    assert apart["rows"][0] == {"row": 2, "truth": "positive", "champion": 0.42, "challenger": 0.83}
    back = disagreement_facts(PairedScores(labels, challenger, champion), ())
    assert (back["n_better"], back["n_worse"]) == (0, 2)


def test_of_numbers_better_is_nearer_the_truth() -> None:
    rows = PairedScores(
        np.array([10.0, 10.0, 10.0, 10.0, 10.0]),
        np.array([12.0, 9.0, 10.0, 7.0, 8.0]),
        np.array([11.0, 6.0, 10.0, 13.0, 9.0]),
        Task.REGRESSION,
    )

    apart = disagreement_facts(rows, ())

    assert (apart["n_differ"], apart["n_better"], apart["n_worse"]) == (4, 2, 1)
    assert apart["rows"][0]["row"] == 4
    assert apart["mean_distance"] == pytest.approx((1 + 3 + 0 + 6 + 1) / 5)


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


def test_the_drawn_curve_holds_the_area_of_the_whole_one() -> None:
    rows = scores(20_000)
    model = two_class_facts(rows)["challenger"]

    x, y = np.array(model["roc"]).T

    assert len(x) <= 200
    assert np.trapezoid(y, x) == pytest.approx(model["auc"], abs=1e-3)


def test_history_holds_the_newest_judged_runs_oldest_first() -> None:
    others = tuple(
        judged(ROWS, RunState.REJECTED, id=f"census-old-{n}", created_at=run().created_at - timedelta(days=n))
        for n in range(1, 30)
    )
    later = judged(ROWS, id="census-later", created_at=run().created_at + timedelta(days=1))
    unjudged = run(RunState.FAILED, id="census-failed")

    history = report_facts(subject(judged(ROWS), ROWS, (*others, later, unjudged)))["history"]

    assert [entry["run"] for entry in history] == [*(f"census-old-{n}" for n in range(19, 0, -1)), "census-1"]


def test_history_marks_what_a_person_put_live_at_what_it_was_last_measured() -> None:
    began = run().created_at
    refused = judged(scores(better=False), RunState.REJECTED, id="census-0", created_at=began - timedelta(days=1))
    override, rollback = (
        run(id=f"census-{kind.value}", kind=kind, restores=to, created_at=began + timedelta(days=n), verdict=None)
        for n, (kind, to) in enumerate(((RunKind.OVERRIDE, "census-0"), (RunKind.ROLLBACK, "initial")), start=1)
    )

    history = report_facts(subject(rollback, None, (refused, judged(ROWS), override)))["history"]

    assert [entry["kind"] for entry in history] == ["training", "training", "override", "rollback"]
    assert history[2]["challenger"] == history[0]["challenger"]
    assert history[3]["challenger"] == history[1]["champion"]
    without = history_plot([entry | {"kind": "training", "state": "REJECTED"} for entry in history], "AUC")
    assert history_plot(history, "AUC").count("<circle") > without.count("<circle")
    page = report_html(REPORTS["promoted"] | {"history": history})
    assert ">ROLLBACK<" in page
    assert ">OVERRIDE<" in page


def test_labels_are_laid_side_by_side_for_each_task() -> None:
    assert REPORTS["promoted"]["label"] == {
        "column": "income", "kind": "share", "rows": [
            {"name": "<=50K", "training": 0.7, "champion": 0.76, "holdout": pytest.approx(1 - ROWS.labels.mean())},
            {"name": ">50K", "training": 0.3, "champion": 0.24, "holdout": pytest.approx(ROWS.labels.mean())},
        ],
    }  # fmt: skip
    assert "income: \\<=50K 70.0 %" in report_markdown(REPORTS["promoted"])
    many, numbers = of_many_classes(), of_numbers()
    columns = (Column("demand", Kind.CATEGORY),)
    own = Profile(2, {}, {}, {}, {CLASSES[1]: 1.0})

    several = label_facts(Contract(columns, "demand", task=Task.MULTICLASS), own, None, many, CLASSES)
    number = Contract((Column("demand", Kind.NUMBER),), "demand", task=Task.REGRESSION)
    quartiles = label_facts(number, replace(own, label=spread([1.0, 3.0])), None, numbers, ())

    assert several
    assert sum(row["holdout"] for row in several["rows"]) == pytest.approx(1)
    assert [row["champion"] for row in several["rows"]] == [None] * 3
    assert quartiles
    assert [row["training"] for row in quartiles["rows"]] == [1, 1.5, 2, 2.5, 3]
    assert quartiles["rows"][2]["holdout"] == pytest.approx(np.median(numbers.labels))
    assert label_facts(number, None, None, numbers, ()) is None


def test_cost_is_the_training_at_the_declared_price() -> None:
    trained, unpriced = run(), cost_facts(run(), None)

    priced = cost_facts(trained, Price(1800, "EUR"))

    assert (priced["training_seconds"], priced["amount"], priced["currency"]) == (2, pytest.approx(1), "EUR")
    assert (unpriced["training_seconds"], unpriced["amount"]) == (2, None)
    assert "models.toml declares no price" in report_html(REPORTS["promoted"])
    assert "2.0 s of training, 1.0000 EUR" in report_markdown(REPORTS["promoted"] | {"cost": priced})


def test_a_report_says_which_code_ran() -> None:
    assert REPORTS["promoted"]["provenance"]["app_version"] == "abc123"
    assert REPORTS["promoted"]["provenance"]["service_version"] is None
    assert "function app abc123, training service unknown: it does not say" in report_html(REPORTS["promoted"])
    assert "code: app abc123, service unknown" in report_markdown(REPORTS["promoted"])


def test_a_missed_rule_has_nothing_left() -> None:
    rules = REPORTS["rejected"]["rules"]

    missed = [rule for rule in rules if not rule["passed"]]
    assert missed
    assert all(rule["left"] < 0 for rule in missed)


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


def test_slices_come_worst_first_and_those_too_small_are_marked() -> None:
    report = REPORTS["with slices"]
    html = report_html(report)

    assert [part["state"] for part in report["slices"]] == ["passed", "too small"]
    assert "too small to judge" in html
    assert "sex = &lt;Female&gt;" in html


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


def test_drift_names_the_columns_furthest_from_the_champions_data() -> None:
    report = REPORTS["promoted"]

    assert [row["column"] for row in report["drift"]] == ["age", "<sex>"]
    assert "furthest is age, by 0.31" in Page(report_html(report)).text
