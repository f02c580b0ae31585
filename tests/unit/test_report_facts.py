"""What a report says is so: each value against one that was worked out otherwise."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from report_samples import REPORTS, ROWS, SCHEMA, Page
from reports import CLASSES, census, judged, of_many_classes, of_numbers, run, scores, subject

from shared.domain.data.contract import Column, Contract, Kind
from shared.domain.data.drift import Profile, spread
from shared.domain.gate import GateRule
from shared.domain.lifecycle.runs import RunKind, RunState
from shared.domain.measuring.paired import PairedScores
from shared.domain.model import Costs, Price
from shared.domain.task import Task
from shared.pages.plots import history_plot, score_plot
from shared.pages.report_markdown import report_markdown
from shared.pages.report_page import report_html
from shared.reporting.cost import cost_facts
from shared.reporting.disagreement import disagreement_facts
from shared.reporting.facts import report_facts
from shared.reporting.labels import label_facts
from shared.reporting.two_class import two_class_facts


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


def test_costs_of_answers_are_shown_by_threshold_and_only_where_they_are_declared() -> None:
    rows = PairedScores(
        np.array([True, True, False, False]), np.array([0.9, 0.4, 0.6, 0.1]), np.array([0.9, 0.8, 0.2, 0.1])
    )
    costs = Costs(false_positive=1, false_negative=5, true_positive=-2, unit="<EUR>")
    facts = two_class_facts(rows, costs)

    by_threshold = {at["threshold"]: at["cost"] for at in facts["champion"]["thresholds"]}
    assert by_threshold[0.5] == pytest.approx((1 + 5 - 2) / 4)
    assert by_threshold[0.1] == pytest.approx((2 - 4) / 4)
    assert by_threshold[0.9] == pytest.approx((5 - 2) / 4)
    assert {at["threshold"]: at["cost"] for at in facts["challenger"]["thresholds"]}[0.5] == pytest.approx(-4 / 4)

    model = census()
    report = report_facts(replace(subject(judged(ROWS), ROWS), model=replace(model, costs=costs)))
    html = report_html(report)
    assert SCHEMA.is_valid(report)
    assert "in &lt;EUR&gt;: a false positive 1" in html
    assert "Cost, champion" in html
    plain = REPORTS["promoted"]
    assert plain["two_class"]["costs"] is None
    assert {at["cost"] for at in plain["two_class"]["champion"]["thresholds"]} == {None}
    assert "Cost, champion" not in report_html(plain)


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


def test_history_tells_what_was_judged_unpaired_and_draws_what_was_compared() -> None:
    began = run().created_at
    bounds = {"outcome": "PROMOTE", "metric": "AUC", "paired": False, "challenger": None, "n_rows": 0}
    alone = run(id="census-alone", created_at=began - timedelta(days=2), verdict=bounds)
    failed = run(RunState.FAILED, id="census-bad", created_at=began - timedelta(days=1), verdict={"outcome": "ERROR"})
    before = judged(ROWS, RunState.REJECTED, id="census-0", created_at=began - timedelta(days=3))

    report = report_facts(subject(judged(ROWS), ROWS, (before, alone, failed)))

    history = report["history"]
    assert SCHEMA.is_valid(report)
    assert [(entry["run"], entry["unpaired"], entry["challenger"] is None) for entry in history] == [
        ("census-0", False, False),
        ("census-alone", True, True),
        ("census-1", False, False),
    ]
    assert history_plot(history, "AUC") == history_plot([history[0], history[2]], "AUC")
    assert history_plot(history[:2], "AUC") == ""
    page = Page(report_html(report)).text
    assert page.count("PROMOTED UNPAIRED") == 1
    assert page.count("What was judged UNPAIRED is in the table alone") == 1
    assert "UNPAIRED" not in Page(report_html(REPORTS["promoted"])).text


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


def test_slices_come_worst_first_and_those_too_small_are_marked() -> None:
    report = REPORTS["with slices"]
    html = report_html(report)

    assert [part["state"] for part in report["slices"]] == ["passed", "too small"]
    assert "too small to judge" in html
    assert "sex = &lt;Female&gt;" in html


def test_every_row_of_a_file_is_accounted_for_and_its_share_in_the_holdout_says_of_which_version() -> None:
    subject_of = subject(judged(ROWS), ROWS)
    judged_on = subject_of.holdout
    file = replace(subject_of.datasets[0], rows=600, good=590, bad=10, overlap=45, stripped=40)
    looked_in = (judged_on, "ef" * 32, "")

    report = report_facts(replace(subject_of, datasets=[replace(file, holdout=version) for version in looked_in]))

    assert SCHEMA.is_valid(report)
    counts = ("rows", "good", "bad", "left_out", "holdout_overlap")
    assert [tuple(told[name] for name in counts) for told in report["data"]] == [(600, 550, 10, 40, 45)] * 3
    assert [told["holdout_version"] for told in report["data"]] == [judged_on, "ef" * 32, None]
    row = r'<td class="n">550</td><td class="n">10</td><td class="n">40</td><td class="n">45(.*?)</td>'
    notes = [re.sub("<.*?>", "", note).strip() for note in re.findall(row, report_html(report))]
    assert notes == ["", "in another version of it", "in another version of it"]


def test_what_output2_says_is_in_every_form_also_where_nothing_was_compared() -> None:
    metrics = {"<AUC>": 0.91234, "Accuracy": 0.8, "Training Log Loss": float("nan")}
    alone = run(verdict={"outcome": "PROMOTE", "metric": "AUC", "paired": False, "checks": [], "n_rows": 0})
    report = report_facts(replace(subject(alone, None), metrics=metrics))
    html, markdown = report_html(report), report_markdown(report)

    assert report["output2"] == [
        {"metric": "<AUC>", "value": 0.91234},
        {"metric": "Accuracy", "value": 0.8},
        {"metric": "Training Log Loss", "value": None},
    ]
    assert SCHEMA.is_valid(report)
    assert "What output2 says" in html
    assert re.search(r"&lt;AUC&gt;</td><td class=\"n\">0\.912", html)
    assert re.search(r"^- output2: \S*AUC\S* 0\.912\d*, Accuracy 0\.8\d*, Training Log Loss –$", markdown, re.MULTILINE)
    assert "What output2 says" not in report_html(REPORTS["failed before it was judged"])


def test_columns_that_came_went_or_changed_their_kind_are_named_as_such() -> None:
    champions = Profile(600, {"age": [1.0, 2.0], "<gone>": [0.0, 1.0]}, {"sex": {"f": 1.0}, "pay": {"low": 1.0}}, {})
    own = Profile(600, {"age": [1.0, 2.0], "pay": [0.0, 1.0]}, {"sex": {"m": 1.0}, "<new>": {"x": 1.0}}, {})
    missing = {"age": 0.0, "pay": 0.0, "<gone>": 0.0}
    data = {"own_data": replace(own, missing=missing), "champions_data": replace(champions, missing=missing)}
    report = report_facts(replace(subject(judged(ROWS), ROWS), **data))
    html, markdown = Page(report_html(report)).text, report_markdown(report)

    assert report["columns"] == [
        {"column": "<gone>", "was": "number", "is": None},
        {"column": "<new>", "was": None, "is": "category"},
        {"column": "pay", "was": "category", "is": "number"},
    ]
    assert SCHEMA.is_valid(report)
    assert re.sub(r"\s", "", html).count("<gone>numbernotthere<new>nottherecategorypaycategorynumber") == 1
    assert "(number → not there)" in markdown
    assert "pay (category → number)" in markdown


def test_columns_that_stayed_are_said_to_be_the_same_and_unknown_ones_are_not() -> None:
    same = REPORTS["promoted"]
    unknown = report_facts(replace(subject(judged(ROWS), ROWS), champions_data=None))

    assert same["columns"] == []
    assert "Columns: the same as in the champion's training data" in Page(report_html(same)).text
    assert unknown["columns"] is None
    assert "Columns:" not in Page(report_html(unknown)).text


def test_drift_names_the_columns_furthest_from_the_champions_data() -> None:
    report = REPORTS["promoted"]

    assert [row["column"] for row in report["drift"]] == ["age", "<sex>"]
    assert "furthest is age, by 0.31" in Page(report_html(report)).text
