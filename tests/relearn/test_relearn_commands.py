"""The command line: tables for people, JSON for programs, and failures that say what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scripted_app import KEY, Relearn, ScriptedApp

from relearn.connection import find_connection
from relearn.errors import WrongUsage

RUN: dict[str, Any] = {
    "id": "r1", "model": "census", "state": "REJECTED", "is_final": True, "reason": "failed: gain in AUC ≥ 0",
    "datasets": ["census/a.csv"], "job_id": "j1", "created_at": "2026-11-01T10:00:00+00:00",
    "updated_at": "2026-11-01T10:01:00+00:00",
    "stages": [{"state": "RECEIVED", "at": "2026-11-01T10:00:00+00:00"}],
    "verdict": {"checks": [
        {"rule": "gain in AUC ≥ 0", "value": -0.2, "bound": 0.0, "passed": False, "severity": "reject"},
        {"rule": "holdout has ≥ 100 rows", "value": 90.0, "bound": 100.0, "passed": False, "severity": "hold"},
        {"rule": "slice sex=x has ≥ 500 rows", "value": 40.0, "bound": 500.0, "passed": False, "severity": "report"},
        {"rule": "holdout used ≤ 9 times", "value": 1.0, "bound": 9.0, "passed": True, "severity": "hold"},
    ]},
}  # fmt: skip
OPEN = RUN | {"id": "r2", "state": "TRAINING", "is_final": False, "verdict": None, "reason": ""}
FILE: dict[str, Any] = {
    "model": "census", "name": "census/\x1b[31mred.csv", "size": 9, "rows": 0, "state": "QUARANTINED", "problems": [],
    "reason": "line 2, column 'age': found 'x', expected a number", "duplicate_of": None, "run_id": None,
    "seen_at": "2026-11-01T10:00:00+00:00", "settled_at": None,
}  # fmt: skip


def test_runs_are_listed_with_their_reasons(app: ScriptedApp, relearn: Relearn) -> None:
    app.answers["GET /api/runs"] = (200, {"runs": [RUN, OPEN]})

    done = relearn("runs")

    heading, first, second = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert heading.split() == ["RUN", "MODEL", "STATE", "AGE", "FILES", "REASON"]
    assert first.startswith("r1   census")
    assert first.endswith("census/a.csv  failed: gain in AUC ≥ 0")
    assert "TRAINING" in second


def test_json_is_what_the_function_app_said(app: ScriptedApp, relearn: Relearn) -> None:
    app.answers["GET /api/runs?model=census"] = (200, {"runs": [RUN, OPEN]})

    done = relearn("runs", "--model", "census", "--open", "--json")

    assert json.loads(done.out) == {"runs": [OPEN]}


def test_one_run_shows_its_stages_and_rules(app: ScriptedApp, relearn: Relearn) -> None:
    app.answers["GET /api/runs/r1"] = (200, RUN)

    out = relearn("runs", "r1").out

    assert "RECEIVED  2026-11-01 10:00:00 UTC" in out
    assert [line.split()[:3] for line in out.splitlines()[-4:]] == [
        ["FAIL", "-0.2", "gain"],
        ["HOLD", "90", "holdout"],
        ["note", "40", "slice"],
        ["pass", "1", "holdout"],
    ]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_changed_gate_takes_finite_numbers(app: ScriptedApp, relearn: Relearn, value: str) -> None:
    done = relearn("gate", "census", "--set", f"min_rows={value}")

    assert done.code == 2
    assert f"--set takes finite numbers, not nan or inf: min_rows={value}" in done.err
    assert app.asked == []


def test_a_file_name_cannot_steer_the_terminal(app: ScriptedApp, relearn: Relearn) -> None:
    app.answers["GET /api/datasets"] = (200, {"datasets": [FILE]})

    out = relearn("datasets", "--state", "QUARANTINED").out

    assert "\x1b" not in out
    assert "\\x1b[31mred.csv" in out


def test_a_narrow_terminal_gets_one_block_for_each_run(
    app: ScriptedApp, relearn: Relearn, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.answers["GET /api/runs"] = (200, {"runs": [RUN, OPEN]})
    monkeypatch.setattr("relearn.__main__.terminal_width", lambda: 40)

    out = relearn("runs").out

    assert max(map(len, out.splitlines())) <= 40
    assert out.count("STATE ") == 2
    assert "AUC ≥ 0" in out


@pytest.mark.parametrize(
    ("status", "answer", "code", "words"),
    [
        (404, {"error": "there is no run 'r9'; GET /api/runs lists them"}, 3, "there is no run 'r9'"),
        (404, None, 3, "is the address right"),
        (409, {"error": "run 'r9' is not HELD"}, 5, "run 'r9' is not HELD"),
        (403, {"error": "another person has to decide"}, 5, "another person has to decide"),
        (403, None, 4, "the key is refused (403)"),
        (401, None, 4, "the key is refused (401)"),
        (500, None, 6, "try again later"),
        (200, b"<html>", 6, "is it a Relearn app?"),
    ],
)
def test_a_failure_has_words_and_an_exit_code(
    app: ScriptedApp, relearn: Relearn, status: int, answer: Any, code: int, words: str
) -> None:
    app.answers["GET /api/runs/r9"] = (status, answer)

    done = relearn("runs", "r9")

    assert (done.code, done.out) == (code, "")
    assert words in done.err


def test_a_refused_key_says_which_setting(relearn: Relearn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELEARN_KEY", "wrong")

    done = relearn("runs")

    assert done.code == 4
    assert "set RELEARN_KEY" in done.err


def test_nobody_listening_is_told_apart(relearn: Relearn) -> None:
    done = relearn("runs", "--url", "http://127.0.0.1:9")

    assert done.code == 6
    assert "no answer (ConnectionError)" in done.err


def test_a_name_is_quoted_into_the_address(app: ScriptedApp, relearn: Relearn) -> None:
    relearn("runs", "a/../b?c")

    assert app.asked[-1].path == "/api/runs/a%2F..%2Fb%3Fc"


def test_the_key_is_read_from_a_file(app: ScriptedApp, relearn: Relearn, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    app.answers["GET /api/runs"] = (200, {"runs": []})

    assert relearn("runs", "--key-file", str(tmp_path / "key")).out.startswith("no runs: drop a training file")


@pytest.mark.parametrize(
    "url", ["http://example.org", "ftp://127.0.0.1", "https://a.example?code=k", "https://u:p@a.example"]
)
def test_a_key_is_not_sent_anywhere(url: str) -> None:
    with pytest.raises(WrongUsage):
        find_connection(url, None, {"RELEARN_KEY": KEY})


def test_a_key_is_asked_for_where_somebody_can_answer() -> None:
    asked = find_connection("https://a.example/", None, {}, lambda prompt: KEY)

    assert (asked.url, asked.key) == ("https://a.example", KEY)
    assert KEY not in repr(asked)


def test_the_running_environment_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / ".local" / "state"
    state.mkdir(parents=True)
    (state / "running.json").write_text(json.dumps({"functions_url": "http://127.0.0.1:7", "function_key": KEY}))
    monkeypatch.setattr("relearn.connection._HERE", (tmp_path,))

    found = find_connection(None, None, {})

    assert (found.url, found.key) == ("http://127.0.0.1:7", KEY)


def test_a_closed_pipe_is_no_failure(app: ScriptedApp) -> None:
    app.answers["GET /api/runs"] = (200, {"runs": [RUN] * 50})
    command = f"{sys.executable} -m relearn runs --json | head -c 1"

    done = subprocess.run(  # noqa: S602 - the pipe is what is tested
        command,
        shell=True,
        capture_output=True,
        env={"RELEARN_URL": app.url, "RELEARN_KEY": KEY, "PATH": "/usr/bin:/bin"},
    )

    assert done.stderr == b""
    assert done.stdout.startswith(b"{")


MODEL: dict[str, Any] = {
    "name": "census", "task": "two-class", "folder": "census", "schedule": None, "gate": "AUC", "paired": True,
    "approval": {"ask": "on-hold", "allow_self": True}, "champion": None, "anchor": None, "holdout_uses": 0,
    "busy": False, "last_scheduled_at": None,
}  # fmt: skip
DECISION: dict[str, Any] = {
    "model": "census", "number": 0, "run_id": "r1", "outcome": "REJECTED", "at": "2026-11-01T10:00:00+00:00",
    "evidence": {"reason": "worse"}, "previous": "", "hash": "ab",
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "path", "body"),
    [
        (("approve", "r1"), "/api/runs/r1/approve", {}),
        (("reject", "r1"), "/api/runs/r1/reject", {}),
        (("override", "r1"), "/api/runs/r1/override", {}),
        (("cancel", "r1"), "/api/runs/r1/cancel", {}),
        (("retry", "r1"), "/api/runs/r1/retry", {}),
        (("rollback", "census"), "/api/models/census/rollback", {}),
        (("rollback", "census", "--to", "initial"), "/api/models/census/rollback", {"to": "initial"}),
    ],
)
def test_a_decision_says_who_and_why(
    app: ScriptedApp, relearn: Relearn, command: tuple[str, ...], path: str, body: dict[str, str]
) -> None:
    app.answers[f"POST {path}"] = (202, OPEN)

    done = relearn(*command, "--reason", "looked at it", "--by", "ada")

    assert (done.code, app.asked[-1].body) == (0, {"by": "ada", "reason": "looked at it"} | body)
    assert "run r2 is TRAINING" in done.out


def test_a_decision_without_a_reason_is_not_sent(app: ScriptedApp, relearn: Relearn) -> None:
    with pytest.raises(SystemExit) as ended:
        relearn("approve", "r1")

    assert ended.value.code == 2
    assert app.asked == []


def test_models_and_decisions_are_listed(app: ScriptedApp, relearn: Relearn) -> None:
    app.answers["GET /api/models"] = (200, {"models": [MODEL]})
    app.answers["GET /api/models/census"] = (200, MODEL)
    app.answers["GET /api/decisions"] = (200, {"decisions": [DECISION, DECISION | {"number": 1}]})

    assert "census  not looked at yet" in relearn("models").out
    assert "on-hold" in (paired := relearn("models", "census").out)
    assert "UNPAIRED" not in paired
    app.answers["GET /api/models/census"] = (200, MODEL | {"paired": False})
    assert "approval      on-hold, UNPAIRED" in relearn("models", "census").out
    assert [line.split()[1] for line in relearn("decisions").out.splitlines()] == ["NO", "1", "0"]


@pytest.mark.parametrize(("problems", "code", "word"), [([], 0, "whole"), (["decision 0 was changed"], 1, "BROKEN")])
def test_a_broken_chain_is_an_exit_code(
    app: ScriptedApp, relearn: Relearn, problems: list[str], code: int, word: str
) -> None:
    chain = {"model": "census", "decisions": 1, "head": "ab", "problems": problems}
    app.answers["GET /api/decisions/verify"] = (200, {"whole": not problems, "chains": [chain]})

    done = relearn("verify")

    assert done.code == code
    assert word in done.out


def test_what_served_is_said_with_files_and_leave(app: ScriptedApp, relearn: Relearn) -> None:
    served = {"run_id": "r1", "files": ["census/a.csv"], "approval": {"by": "ada", "reason": "looked at it"}}
    app.answers["GET /api/models/census/serving?at=2026-11-01T10%3A00%3A00Z"] = (
        200, {"model": "census", "at": "2026-11-01T10:00:00Z", "serving": served},
    )  # fmt: skip

    out = relearn("serving", "census", "--at", "2026-11-01T10:00:00Z").out

    assert "trained on   census/a.csv" in out
    assert "approved by  ada: looked at it" in out


def test_exports_and_reports_are_printed_as_they_are(app: ScriptedApp, relearn: Relearn) -> None:
    app.answers["GET /api/decisions?format=csv"] = (200, b"model,number\r\ncensus,0\r\n")
    app.answers["GET /api/runs/r1/report?format=md"] = (200, b"# REJECTED: census\n")

    assert relearn("decisions", "--csv").out == "model,number\r\ncensus,0\n"
    assert relearn("report", "r1").out == "# REJECTED: census\n"


def test_files_are_read_page_by_page_until_there_are_enough(app: ScriptedApp, relearn: Relearn) -> None:
    other = FILE | {"state": "ACCEPTED"}
    app.answers["GET /api/datasets"] = (200, {"datasets": [other, FILE], "next": "p2"})
    app.answers["GET /api/datasets?after=p2"] = (200, {"datasets": [FILE], "next": None})

    out = relearn("datasets", "--state", "QUARANTINED", "--json").out

    assert json.loads(out)["datasets"] == [FILE, FILE]


def test_a_file_is_explained_in_sentences(app: ScriptedApp, relearn: Relearn) -> None:
    said = ["It came at noon.", "It trained nothing: its bytes trained before."]
    app.answers["GET /api/datasets/explain/census/a%20b.csv"] = (200, {"name": "census/a b.csv", "explanation": said})

    assert relearn("explain", "census/a b.csv").out.splitlines() == said


def test_a_file_where_a_model_is_wanted_is_wrong_usage_and_says_how(
    app: ScriptedApp, relearn: Relearn, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        relearn("retrain", "census/good.csv", "--by", "ada")

    assert ended.value.code == 2
    assert "relearn retrain census --file good.csv" in capsys.readouterr().err
    assert app.asked == []


def test_a_file_is_released_and_a_model_retrained(app: ScriptedApp, relearn: Relearn) -> None:
    app.answers["POST /api/datasets/release/census/a.csv?model=census"] = (200, {"answer": "meets it", "run": RUN})
    app.answers["POST /api/models/census/retrain"] = (200, {"answer": "nothing new", "run": None})

    released = relearn("release", "census/a.csv", "--model", "census", "--reason", "fixed", "--by", "ada").out
    waiting = relearn("retrain", "census", "--by", "ada")
    forced = relearn("retrain", "census", "--file", "a.csv", "--force", "--reason", "again", "--by", "ada")

    assert released == "meets it\nfollow it with: relearn runs r1\n"
    assert (waiting.code, waiting.out, forced.code) == (0, "nothing new\n", 0)
    assert app.asked[-1].body == {"by": "ada", "reason": "again", "dataset": "a.csv", "force": True}


REPLAYED: dict[str, Any] = {
    "run_id": "r1", "at": "2026-11-01T10:00:00+00:00", "state": "REJECTED", "was": "REJECT", "now": "PROMOTE",
    "flips": True, "reason_then": "worse", "reason_now": "within the margin",
}  # fmt: skip


def test_a_changed_rule_says_which_verdicts_would_flip(app: ScriptedApp, relearn: Relearn) -> None:
    answer = {"model": "census", "rule": {}, "replayed": 1, "flips": [REPLAYED], "runs": [REPLAYED]}
    app.answers["POST /api/models/census/replay?limit=50"] = (200, answer)

    done = relearn("gate", "census", "--set", "margin=0.5", "--set", "floors.AUC=0.8")

    assert (done.code, app.asked[-1].body) == (1, {"margin": 0.5, "floors": {"AUC": 0.8}})
    assert "REJECT  PROMOTE  FLIPS" in done.out
    assert "1 of 1 verdicts would flip" in done.out


def test_a_word_in_a_changed_rule_needs_no_quotes(app: ScriptedApp, relearn: Relearn) -> None:
    answer = {"model": "census", "rule": {}, "replayed": 0, "flips": [], "runs": []}
    app.answers["POST /api/models/census/replay?limit=50"] = (200, answer)

    for written in ("mode=superiority", 'mode="superiority"'):
        assert relearn("gate", "census", "--set", written, "--set", "relaxed=true").code == 0
        assert app.asked[-1].body == {"mode": "superiority", "relaxed": True}


def test_several_problems_are_told_line_by_line(app: ScriptedApp, relearn: Relearn) -> None:
    refusal = "the changed gate: 1 problem(s)\n  - gate.margn: is not known\x1b here"
    app.answers["POST /api/models/census/replay?limit=50"] = (400, {"error": refusal})

    told = relearn("gate", "census", "--set", "margn=1").err

    assert told == "relearn: the changed gate: 1 problem(s)\n  - gate.margn: is not known\\x1b here\n"


def test_the_rule_as_it_stands_flips_nothing(app: ScriptedApp, relearn: Relearn) -> None:
    same = REPLAYED | {"now": "REJECT", "flips": False}
    answer = {"model": "census", "rule": {}, "replayed": 1, "flips": [], "runs": [same]}
    app.answers["GET /api/models/census/replay?limit=50"] = (200, answer)

    assert relearn("gate", "census").code == 0
    assert relearn("gate", "census", "--set", "margin").code == 2


def test_the_doctor_says_what_to_do(app: ScriptedApp, relearn: Relearn) -> None:
    well = {"subject": "storage", "check": "reachable", "ok": True, "found": "it answers", "remedy": ""}
    ill = {"subject": "census", "check": "live", "ok": False, "found": "401", "remedy": "set CENSUS_LIVE_KEY"}
    app.answers["GET /api/doctor"] = (200, {"problems": 1, "checks": [well, ill]})

    done = relearn("doctor")

    assert done.code == 1
    assert "WRONG  census" in done.out
    assert done.out.endswith("census, live: set CENSUS_LIVE_KEY\n")
