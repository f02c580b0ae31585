"""Every command of `relearn` on the real app: what it says, what it exits with, what it is as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from running_loop import Loop, running_loop

from local.drop import drop
from relearn.__main__ import main

_SETTLES_S = 60
_WHY = ("--reason", "looked at it", "--by", "ada")


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Relearn = Callable[..., Said]


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    """An environment of its own: what is decided here would tell in the other tests."""
    with running_loop(tmp_path_factory.mktemp("commands"), rentals=False) as loop:
        yield loop


@pytest.fixture
def relearn(loop: Loop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Relearn:
    """Run a command against the running app."""
    monkeypatch.setenv("RELEARN_URL", loop.addresses.functions_url)
    monkeypatch.setenv("RELEARN_KEY", loop.addresses.function_key.reveal())

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as usage:
            code = int(usage.code or 0)
        printed = capsys.readouterr()
        return Said(code, printed.out, printed.err)

    return run


def _some_rows(loop: Loop, path: Path, first: int, count: int) -> Path:
    header, *rows = loop.files.larger.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([header, *rows[first : first + count]]), encoding="utf-8")
    return path


def _until(relearn: Relearn, run_id: str, *states: str) -> dict[str, Any]:
    until = time.monotonic() + _SETTLES_S
    while (run := relearn("runs", run_id, "--json").document)["state"] not in states:
        assert time.monotonic() < until, run
        time.sleep(0.2)
    return dict(run)


def test_a_run_is_followed_read_and_explained(loop: Loop, relearn: Relearn, tmp_path: Path) -> None:
    settled = loop.drop(_some_rows(loop, tmp_path / "by-command.csv", 0, 3000))
    assert settled.run
    run_id = settled.run.id
    loop.report(run_id)

    listed, shown = relearn("runs", "--model", "census"), relearn("runs", run_id)
    report = {form: relearn("report", run_id, "--format", form) for form in ("md", "html", "json")}

    assert run_id in listed.out
    assert [run["id"] for run in relearn("runs", "--limit", "1", "--json").document["runs"]] == [run_id]
    assert relearn("runs", "--open", "--json").document["runs"] == []
    assert f"state   {settled.run.state}" in shown.out
    assert f"{settled.run.stages[0].at:%Y-%m-%d %H:%M:%S} UTC" in shown.out
    assert report["md"].out.startswith(f"# {settled.run.state}: census")
    assert report["html"].out.startswith("<!doctype html>")
    assert report["json"].document["run"]["id"] == run_id
    assert f"That run is {settled.run.state}" in relearn("explain", "census/by-command.csv").out
    assert "census/by-command.csv" in relearn("datasets", "--model", "census").out
    assert {listed.code, shown.code, *(said.code for said in report.values())} == {0}


def test_models_what_serves_and_the_chain(relearn: Relearn) -> None:
    models, census, serving = relearn("models"), relearn("models", "census"), relearn("serving", "census")
    decisions = relearn("decisions", "--json").document["decisions"]
    at = decisions[0]["at"]

    assert "approval on-hold: a person decides the runs that the gate holds" in models.out
    assert ["task", "two-class"] in [line.split() for line in census.out.splitlines()]
    assert " UTC" in serving.out
    assert ".0" not in serving.out.partition("reason")[0], serving.out
    assert relearn("serving", "census", "--at", at, "--json").document["at"] == at
    assert relearn("decisions", "--csv").out.startswith("model,number,at,outcome")
    verified = relearn("verify", "--json")
    assert (verified.code, verified.document["whole"]) == (0, True)
    assert relearn("doctor").code == 0
    assert relearn("doctor", "--json").document["problems"] == 0
    unflipped = relearn("gate", "census", "--json")
    assert (unflipped.code, unflipped.document["flips"]) == (0, [])
    flipped = relearn("gate", "census", "--set", "min_gain=0.9")
    assert flipped.code == 1
    assert "FLIPS" in flipped.out


def test_held_runs_are_decided_and_what_was_decided_is_undone(loop: Loop, relearn: Relearn, tmp_path: Path) -> None:
    path = _some_rows(loop, tmp_path / "first.csv", 3000, 12000)
    with path.open("a", encoding="utf-8") as file:  # a twentieth of the holdout, which only a person may let pass
        file.writelines(loop.files.holdout.read_text(encoding="utf-8").splitlines(keepends=True)[1:201])
    drop(loop.addresses.storage, path, "census")
    held = _held_on(relearn, "census/first.csv")
    before = relearn("models", "census", "--json").document["champion"]["run_id"]

    assert relearn("approve", held["id"]).code == 2
    rejected = relearn("reject", held["id"], *_WHY)
    assert (rejected.code, "is recorded: rejected by ada: looked at it" in rejected.out) == (0, True)
    _until(relearn, held["id"], "REJECTED")
    again = relearn("reject", held["id"], *_WHY)
    assert again.code == 5
    assert f"run '{held['id']}' cannot be rejected now: it is REJECTED" in again.err

    overridden = relearn("override", held["id"], *_WHY, "--json").document
    assert _until(relearn, overridden["id"], "PROMOTED")["restores"] == held["id"]
    back = relearn("rollback", "census", *_WHY, "--json").document
    assert back["restores"] == before
    _until(relearn, back["id"], "PROMOTED")
    assert relearn("models", "census", "--json").document["champion"]["run_id"] == before

    cancelled = relearn("retrain", "census", "--file", "first.csv", "--force", *_WHY, "--json").document["run"]["id"]
    _until(relearn, cancelled, "HELD")
    assert relearn("cancel", cancelled, *_WHY).code == 0
    _until(relearn, cancelled, "CANCELLED")
    retried = relearn("retry", cancelled, *_WHY, "--json").document["id"]
    assert retried != cancelled
    _until(relearn, retried, "HELD")
    assert relearn("approve", retried, *_WHY).code == 0
    assert "approved by ada: looked at it" in _until(relearn, retried, "PROMOTED")["reason"]
    assert "approved by" in (said := relearn("serving", "census").out)
    assert "ada: looked at it" in said


def _held_on(relearn: Relearn, file: str) -> dict[str, Any]:
    """Return the run that trained on a file, once it waits for a person."""
    until = time.monotonic() + _SETTLES_S
    while True:
        runs = relearn("runs", "--model", "census", "--json").document["runs"]
        run = next((run for run in runs if file in run["datasets"]), None)
        if run and run["state"] == "HELD":
            return dict(run)
        assert time.monotonic() < until, run
        time.sleep(0.2)


def test_a_file_in_quarantine_is_released_when_it_meets_the_contract(loop: Loop, relearn: Relearn) -> None:
    name = f"census/{loop.files.no_label.path.name}"
    loop.drop(loop.files.no_label.path)

    assert name in relearn("datasets", "--state", "QUARANTINED").out
    released = relearn("release", name, *_WHY)
    trained = relearn("retrain", "census", "--file", name)

    assert released.code == 0
    assert "found no such column" in released.out
    assert trained.code == 5
    assert "is in quarantine" in trained.err
    assert relearn("retrain", "census").out.startswith("nothing new since")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("runs", "nothing"), 3, "there is no run 'nothing'"),
        (("models", "weather"), 3, "there is no model 'weather'"),
        (("serving", "census", "--at", "noon"), 5, "'noon' is no instant"),
        (("explain", "census/never.csv"), 3, "never.csv"),
        (("retrain", "weather"), 3, "there is no model 'weather'; declared are census"),
        (("retrain", "census", "--file", "never.csv"), 3, "there is no file 'census/never.csv' in training-data"),
        (("retrain", "census/good.csv"), 2, "to train one file: relearn retrain census --file good.csv"),
        (("release", "census/never.csv", *_WHY), 3, "there is no file"),
        (("rollback", "census", "--to", "nothing", *_WHY), 5, "'nothing' has never served 'census'"),
        (("override", "nothing", *_WHY), 3, "there is no run 'nothing'"),
        (("cancel", "nothing", *_WHY), 3, "there is no run 'nothing'"),
        (("retry", "nothing", *_WHY), 3, "there is no run 'nothing'"),
        (("report", "nothing"), 3, "there is no report of run 'nothing'"),
        (("gate", "census", "--set", "margin=wide"), 5, "margin"),
        (("runs", "--url", "http://127.0.0.1:9"), 6, "no answer"),
    ],
)
def test_what_cannot_be_done_says_so(relearn: Relearn, arguments: tuple[str, ...], code: int, words: str) -> None:
    said = relearn(*arguments)

    assert (said.code, said.out) == (code, "")
    assert words in said.err


def test_a_wrong_key_is_refused(relearn: Relearn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELEARN_KEY", "another")

    assert relearn("runs").code == 4
