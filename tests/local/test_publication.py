from __future__ import annotations

import json
import re
from pathlib import Path

from local.examples import CENSUS, MODELS_FILE, declarations_with_rentals
from local.places import ROOT
from local.publication import Publication, app_settings
from shared.declarations.models_file import load_models
from shared.secret import Secret
from shared.settings import Settings

BASE = "http://127.0.0.1:5100/workspaces/w"
STORAGE = Secret("UseDevelopmentStorage=true;AccountName=devstoreaccount1")


def printed() -> str:
    def endpoint(name: str) -> dict[str, object]:
        return {
            "management_url": f"{BASE}/webservices/s/endpoints/{name}",
            "api_location": f"{BASE}/services/{name}",
            "primary_key": f"{name}-key",
            "secondary_key": f"{name}-spare",
            "updatable": name != "default",
        }

    return json.dumps(
        {
            "workspace": "w",
            "training": {"web_service": "t", "jobs_url": f"{BASE}/services/t/jobs", "primary_key": "jobs-key"},
            "predictive": {
                "web_service": "s",
                "resource": "Census Model [trained model]",
                "endpoints": {name: endpoint(name) for name in ("default", "live", "staging")},
            },
            "summary": {"auc": 0.9},
        }
    )


def test_the_printed_object_is_read() -> None:
    publication = Publication.parse(printed())

    assert publication.jobs_url == f"{BASE}/services/t/jobs"
    assert publication.endpoints["live"].management_url == f"{BASE}/webservices/s/endpoints/live"
    assert publication.endpoints["live"].key.matches("live-key")
    assert [name for name, e in publication.endpoints.items() if e.updatable] == ["live", "staging"]


def test_no_key_shows_when_a_publication_prints() -> None:
    assert "key'" not in repr(Publication.parse(printed())).replace("Secret('****')", "")


def test_the_function_app_accepts_its_settings_and_models() -> None:
    given = app_settings(STORAGE, {CENSUS: Publication.parse(printed())}, str(MODELS_FILE))

    settings = Settings.from_env(given)
    models = load_models(settings.models_file, settings.environment)

    assert models["census"].live.url == f"{BASE}/webservices/s/endpoints/live"
    assert models["census"].folder == "census"


def test_every_setting_that_the_function_app_names_is_given() -> None:
    given = app_settings(STORAGE, {CENSUS: Publication.parse(printed())}, str(MODELS_FILE))

    text = (ROOT / "function_app.py").read_text("utf-8") + (ROOT / "models.toml").read_text("utf-8")

    named = set(re.findall(r"%([A-Z][A-Z_]+)%", text)) | set(re.findall(r'connection="(\w+)"', text))
    assert named - {"NAME"} <= given.keys()


def test_the_example_models_fit_into_one_file(tmp_path: Path) -> None:
    every = dict.fromkeys(("census", "rentals", "demand"), Publication.parse(printed()))
    declared = tmp_path / "models.toml"
    declared.write_text(declarations_with_rentals(), encoding="utf-8")

    models = load_models(declared, app_settings(STORAGE, every, str(declared)))

    assert {name: model.task.value for name, model in models.items()} == {
        "census": "two-class", "rentals": "regression", "demand": "multiclass",
    }  # fmt: skip
