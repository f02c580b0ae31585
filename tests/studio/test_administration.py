"""The operator's commands, as a person types them: endpoints, models, keys, jobs, inspect; JSON and exit codes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from exchanges import DATA, ROW, SECRET, TOKEN, Jobs, Published, bearer, people, scored

from studio.__main__ import main
from studio.engine.experiment import parse_experiment
from studio.engine.training import train
from studio.store.artifacts import ArtifactKind

TRAINING, PREDICTIVE = "Income: who earns more?", "Income: who earns more? [Predictive Exp.]"


class Terminal:
    """Runs commands in this process, against the storage of the service under test."""

    def __init__(
        self, published: Published, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = published.service.settings
        monkeypatch.setenv("STUDIO_STORAGE", settings.storage.reveal())
        monkeypatch.setenv("STUDIO_URL", settings.url)
        monkeypatch.setenv("STUDIO_SECRET", SECRET)
        monkeypatch.setenv("STUDIO_WORKSPACE", str(settings.workspace))
        monkeypatch.setenv("STUDIO_WORKSPACE_TOKEN", TOKEN)
        self._capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = main(arguments)
        shown = self._capsys.readouterr()
        return code, shown.out, shown.err

    def json(self, *arguments: str) -> Any:
        code, output, errors = self.run(*arguments, "--json")
        assert code == 0, errors
        return json.loads(output)


@pytest.fixture
def terminal(published: Published, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(published, capsys, monkeypatch)


def test_endpoints_are_listed_with_addresses_and_without_keys(published: Published, terminal: Terminal) -> None:
    listed = terminal.json("endpoints")
    code, text, _ = terminal.run("endpoints")

    assert {(entry["web_service"]["name"], entry["name"]) for entry in listed} == {
        (TRAINING, "default"),
        *((PREDICTIVE, name) for name in ("default", "live", "staging")),
    }
    live = next(entry for entry in listed if entry["name"] == "live")
    assert live["api_location"] == published.endpoint("live")["api_location"]
    assert (live["updatable"], live["web_service"]["kind"]) == (True, "predictive")
    assert code == 0
    assert live["api_location"] in text
    key = published.endpoint("live")["primary_key"]
    assert key not in text + json.dumps(listed)


def test_keys_are_masked_for_people_and_whole_in_json(published: Published, terminal: Terminal) -> None:
    live = published.endpoint("live")

    code, text, _ = terminal.run("keys", PREDICTIVE, "live")
    values = terminal.json("keys", published.json["predictive"]["web_service"], "live")

    assert code == 0
    assert live["primary_key"][:4] in text
    assert live["primary_key"] not in text
    assert (values["primary_key"], values["secondary_key"]) == (live["primary_key"], live["secondary_key"])


def test_the_models_of_an_endpoint_are_listed_and_a_past_one_is_put_back(
    published: Published, terminal: Terminal, tmp_path: Path
) -> None:
    before = scored(published, "live")
    patched(published, tmp_path)
    after = scored(published, "live")

    new, old = terminal.json("models", PREDICTIVE, "live")
    code, text, _ = terminal.run("models", PREDICTIVE, "live", "--put-back", old["model"][:8].upper())

    published.service.registry.refresh()
    assert (new["serves"], old["serves"]) == (True, False)
    assert old["blob"] == f"models/{old['model']}.ilearner"
    assert code == 0
    assert [line.split() for line in text.splitlines()[1:]] == [[old["model"], "serves"], [new["model"], "past"]]
    assert before != after
    assert scored(published, "live") == before


def test_a_model_that_cannot_be_put_back_is_one_message(
    published: Published, terminal: Terminal, tmp_path: Path
) -> None:
    patched(published, tmp_path)
    new, old = terminal.json("models", PREDICTIVE, "live")

    unknown = terminal.run("models", PREDICTIVE, "live", "--put-back", "0" * 64)
    fixed = terminal.run("models", PREDICTIVE, "default", "--put-back", old["model"])
    blobs = published.service.storage.artifacts
    blobs.upload_blob(old["blob"], b"altered", overwrite=True)
    lost = terminal.run("models", PREDICTIVE, "live", "--put-back", old["model"])

    assert (unknown[0], fixed[0], lost[0]) == (1, 1, 1)
    assert f"none of its past models begins with '{'0' * 64}'; endpoint 'live' remembers: {old['model']}" in unknown[2]
    assert "follows the experiment" in fixed[2]
    assert "missing from storage or was altered" in lost[2]
    assert terminal.json("models", PREDICTIVE, "live")[0]["model"] == new["model"]


def patched(published: Published, directory: Path) -> None:
    """Give 'live' another model, kept by the service itself."""
    experiment = parse_experiment((DATA / "income.toml").read_text(encoding="utf-8"), "income.toml")
    data = train(experiment, people(directory / "other.csv", 400, seed=9), ".csv", threads=1).model_file
    service = published.service
    digest = service.artifacts.put(ArtifactKind.MODEL, data)
    location = {
        "ConnectionString": service.settings.storage.reveal(),
        "RelativeLocation": f"studio-artifacts/models/{digest}.ilearner",
    }
    body = {"Resources": [{"Name": "Income who earns more [trained model]", "Location": location}]}
    url, headers = published.endpoint("live")["management_url"], published.headers("live")
    assert published.client.patch(url, headers=headers, json=body).status_code == 204


@pytest.mark.parametrize("which", ["primary", "secondary"])
def test_a_rotated_key_opens_the_endpoint_and_the_old_one_no_longer_does(
    published: Published, terminal: Terminal, which: str
) -> None:
    live, other = published.endpoint("live"), "secondary" if which == "primary" else "primary"

    values = terminal.json("keys", PREDICTIVE, "live", "--rotate", which)

    published.service.registry.refresh()
    statuses = {
        name: published.client.post(f"{live['api_location']}/execute", headers=bearer(key), json=ROW).status_code
        for name, key in {
            "new": values[f"{which}_key"],
            "old": live[f"{which}_key"],
            "other": live[f"{other}_key"],
        }.items()
    }
    assert statuses == {"new": 200, "old": 401, "other": 200}


def test_jobs_are_listed_newest_first(
    jobs: Jobs, terminal: Terminal, request_body: dict[str, Any], run_jobs: Any
) -> None:
    first = jobs.submit(request_body)
    jobs.call("POST", f"/{first}/start")
    run_jobs()
    second = jobs.submit(request_body)

    listed = terminal.json("jobs", TRAINING)
    _, text, _ = terminal.run("jobs", TRAINING)

    assert [(job["id"], job["state"]) for job in listed] == [(second, "SUBMITTED"), (first, "FINISHED")]
    assert listed[1]["ended_at"] >= listed[1]["started_at"] >= listed[1]["created_at"]
    assert text.index(second) < text.index(first)
    assert "AccountKey" not in text + json.dumps(listed)


def test_an_endpoint_without_jobs_says_so(terminal: Terminal) -> None:
    assert terminal.run("jobs", TRAINING)[:2] == (0, "No jobs.\n")
    assert terminal.json("jobs", TRAINING) == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("keys", "Nothing"), PREDICTIVE),
        (("keys", PREDICTIVE, "nowhere"), "'staging'"),
        (("jobs", "Nothing"), "there is no 'Nothing'"),
        (("inspect", "absent.ilearner"), "there is no file absent.ilearner"),
    ],
)
def test_what_is_not_there_is_one_message_that_names_what_is(
    terminal: Terminal, arguments: tuple[str, ...], expected: str
) -> None:
    code, output, errors = terminal.run(*arguments)

    assert (code, output) == (1, "")
    assert expected in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("arguments", [("keys",), ("keys", "x", "--rotate", "third"), ("nothing",), ()])
def test_a_wrong_call_exits_with_two(terminal: Terminal, arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        terminal.run(*arguments)

    assert ended.value.code == 2


@pytest.fixture
def model(tmp_path: Path) -> Path:
    experiment = parse_experiment((DATA / "income.toml").read_text(encoding="utf-8"), "income.toml")
    path = tmp_path / "model.ilearner"
    path.write_bytes(train(experiment, people(tmp_path / "a.csv", 300), ".csv", threads=1).model_file)
    return path


def test_a_model_file_is_described_without_any_setting(
    model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STUDIO_STORAGE", raising=False)

    assert main(["inspect", str(model), "--json"]) == 0

    values = json.loads(capsys.readouterr().out)
    assert values["experiment"] == TRAINING
    assert values["columns"] == {"age": "Int32", "hours": "Double", "job": "String", "income": "String"}
    assert values["learner"] == "Two-Class Boosted Decision Tree"
    assert 0 < float(values["metrics"]["AUC"]) <= 1
    assert values["data"]["sha256"] == hashlib.sha256(model.with_name("a.csv").read_bytes()).hexdigest()
    assert values["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()


def test_a_model_file_is_described_for_people(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(model)]) == 0

    text = capsys.readouterr().out
    assert "learner: Two-Class Boosted Decision Tree" in text
    assert "  AUC: " in text


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not a zip", b"\x80\x04}."])
def test_a_file_that_is_no_model_is_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    path = tmp_path / "odd.ilearner"
    path.write_bytes(data)

    assert main(["inspect", str(path)]) == 1

    errors = capsys.readouterr().err
    assert "Traceback" not in errors
    assert errors.count("\n") == 1
