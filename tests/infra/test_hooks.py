"""The hooks, with an `az` in the PATH that writes down how it was called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.hooks import publish, subscribe, version
from shared import version as code

DEPLOYED = {
    "AZURE_RESOURCE_GROUP": "rg-relearn-test",
    "FUNCTION_APP_NAME": "func-relearn-x",
    "EVENT_TOPIC_NAME": "evgt-x",
    "DATA_ACCOUNT_NAME": "stdatax",
    "DEAD_LETTER_CONTAINER": "undelivered-events",
    "AZURE_KEY_VAULT_NAME": "kv-x",
    "STUDIO_ACCOUNT_NAME": "ststudiox",
    "STUDIO_URL": "https://scoring-x.example.com",
}
AZ = """#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
arguments = sys.argv[1:]
if "--file" in arguments:
    file = pathlib.Path(arguments[arguments.index("--file") + 1])
    arguments.append("HOLDS " + file.read_text() + " MODE " + oct(file.stat().st_mode & 0o777))
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(arguments) + "\\n")
answers = folder / "answers"
waiting = json.loads(answers.read_text()) if answers.exists() else []
said = waiting.pop(0) if waiting else ""
answers.write_text(json.dumps(waiting))
if said.startswith("ERROR"):
    sys.exit(said)
print(said)
"""


class Az:
    """The stand-in's diary."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def will_say(self, *answers: str) -> None:
        (self._folder / "answers").write_text(json.dumps(answers))

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self._folder / "calls").read_text().splitlines()]


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Az:
    program = tmp_path / "az"
    program.write_text(AZ.format(python=sys.executable, folder=str(tmp_path)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for name, value in DEPLOYED.items():
        monkeypatch.setenv(name, value)
    return Az(tmp_path)


def test_subscribing_waits_until_the_app_has_its_webhook(az: Az, capsys: pytest.CaptureFixture[str]) -> None:
    pauses: list[float] = []
    az.will_say("ERROR: property 'blobs_extension' doesn't exist", "ERROR: Webhook validation handshake failed", "")

    assert subscribe.main([], pause=pauses.append) == 0
    assert len(az.calls) == 3
    assert pauses == [subscribe.PAUSE_S] * 2
    assert "func-relearn-x" in capsys.readouterr().out


def test_the_deployment_gets_every_parameter_of_its_template(az: Az) -> None:
    assert subscribe.main([]) == 0

    call = az.calls[0]
    given = dict(text.split("=", 1) for text in call[call.index("--parameters") + 1 :] if "=" in text)
    assert given == {
        "functionAppName": "func-relearn-x",
        "topicName": "evgt-x",
        "dataAccountName": "stdatax",
        "deadLetterContainer": "undelivered-events",
    }
    assert Path(call[call.index("--template-file") + 1]).is_file()
    assert not any("code=" in text for text in call)


def test_subscribing_gives_up_and_says_what_to_do(az: Az, capsys: pytest.CaptureFixture[str]) -> None:
    az.will_say(*["ERROR: not yet"] * subscribe.ATTEMPTS)

    assert subscribe.main([], pause=lambda _: None) == 1
    assert len(az.calls) == subscribe.ATTEMPTS
    assert "azd hooks run postdeploy" in capsys.readouterr().err


def test_subscribing_does_not_wait_for_what_cannot_come(az: Az) -> None:
    az.will_say("ERROR: AuthorizationFailed: the client has no right")

    assert subscribe.main([], pause=lambda _: None) == 1
    assert len(az.calls) == 1


def test_renewing_removes_the_subscription_first(az: Az) -> None:
    assert subscribe.main(["--renew"]) == 0
    assert [call[:2] for call in az.calls] == [["eventgrid", "system-topic"], ["deployment", "group"]]


def test_a_missing_output_is_named(az: Az, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVENT_TOPIC_NAME")

    with pytest.raises(SystemExit, match="EVENT_TOPIC_NAME"):
        subscribe.main([])


def test_a_published_key_reaches_the_vault_through_a_private_file(az: Az, capsys: pytest.CaptureFixture[str]) -> None:
    publish._keep("kv-x", "CENSUS_JOBS_KEY", "the-key")

    (call,) = az.calls
    assert call[-1] == "HOLDS the-key MODE 0o600"
    assert "census-jobs-key" in call
    assert not any("the-key" in text for text in call[:-1])
    assert "the-key" not in "".join(capsys.readouterr())


def test_a_publication_gives_every_setting_that_the_models_file_names() -> None:
    def endpoint(name: str) -> dict[str, Any]:
        return {"management_url": f"https://x/{name}", "primary_key": f"key of {name}"}

    publication = {
        "training": {"jobs_url": "https://x/jobs", "primary_key": "jobs key"},
        "predictive": {"endpoints": {name: endpoint(name) for name in ("live", "staging")}},
    }

    assert publish.model_settings("census", publication) == {
        "CENSUS_JOBS_URL": "https://x/jobs",
        "CENSUS_JOBS_KEY": "jobs key",
        "CENSUS_LIVE_URL": "https://x/live",
        "CENSUS_LIVE_KEY": "key of live",
        "CENSUS_STAGING_URL": "https://x/staging",
        "CENSUS_STAGING_KEY": "key of staging",
    }


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    (tmp_path / ".gitignore").write_text("shared/VERSION\n")
    about = ["-c", "user.name=n", "-c", "user.email=e"]
    for command in (["init", "-q"], ["add", "."], [*about, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)  # noqa: S603, S607
    return tmp_path


def test_a_deployment_says_its_commit_where_there_is_no_history(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert version.main(checkout) == 0
    written = checkout / "shared" / "VERSION"
    assert written.read_text() == code.commit(checkout)
    assert len(written.read_text()) == 12  # and no `-dirty`: the file itself is no change

    monkeypatch.delenv("RELEARN_VERSION", raising=False)
    monkeypatch.setattr(code, "BAKED", written)
    monkeypatch.setattr(code, "_ROOT", tmp_path_factory.mktemp("image"))
    assert code.code_version.__wrapped__() == written.read_text()

    written.write_text("of an earlier build")
    monkeypatch.setattr(code, "_ROOT", checkout)
    assert code.code_version.__wrapped__() == code.commit(checkout)


def test_data_without_a_contract_leaves_a_published_model_and_a_word(
    az: Az, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint = {"management_url": "https://x/e", "primary_key": "k"}
    publication = {
        "training": {"jobs_url": "https://x/jobs", "primary_key": "k"},
        "predictive": {"endpoints": {"live": endpoint, "staging": endpoint}},
    }
    (tmp_path / "models.toml").write_text("[models.census]\n")
    (tmp_path / "experiment.toml").write_text('[label]\ncolumn = "income"\n')
    (tmp_path / "first.csv").write_bytes(b"PK\x03\x04 an Excel workbook that is called .csv")
    monkeypatch.setattr(publish, "ROOT", tmp_path)
    monkeypatch.setattr(publish, "_published", lambda *_: publication)

    assert publish.main(["census", str(tmp_path / "experiment.toml"), str(tmp_path / "first.csv")]) == 1
    assert az.calls[-1][:2] == ["functionapp", "restart"]
    said = capsys.readouterr().err
    assert said.startswith("census is published and the function app restarts, but no contract can be inferred from")
    assert "an Excel workbook" in said
