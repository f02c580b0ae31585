"""The roles of infra/ are the operations that the app makes: none is missing, and none is there for nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from local.azurite import Azurite
from shared.adapters.blobs import BlobStore
from shared.composition import compose
from shared.secret import Secret
from shared.settings import ROOT
from tests.identity.assignments import assignments
from tests.identity.keyless import own_settings
from tests.integration.census_rows import people
from tests.integration.classic_service import ClassicService

Operation = tuple[str, str]  # where, and what: read, write, delegate
SCHEDULES = {"POLL_SCHEDULE": "* * * * * *", "RETRAIN_SCHEDULE": "* * * * * *"}
GRANTS = {
    "storageBlobDataReader": {"read"},
    "storageBlobDataContributor": {"read", "write"},
    "storageBlobDelegator": {"delegate"},
    "storageTableDataContributor": {"read", "write"},
}


def granted() -> set[Operation]:
    """What the function app may do with blobs and tables of the data account, by infra/modules/roles.bicep."""
    return {
        (each.place or ("tables" if "Table" in each.role else "account"), what)
        for each in assignments()
        if (each.principal, each.account) == ("functionsPrincipalId", "data")
        for what in GRANTS.get(each.role, set())
    }


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> set[Operation]:
    """What the app asks of storage under its identity from here on; others' requests carry a signature or no token."""
    found: set[Operation] = set()
    send = requests.Session.send

    def watched(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if str(request.headers.get("Authorization", "")).startswith("Bearer ey") and "sig=" not in str(request.url):
            found.add(_operation(request))
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", watched)
    return found


def _operation(request: requests.PreparedRequest) -> Operation:
    parts = urlsplit(str(request.url))
    place = parts.path.split("/")[2]  # after the emulator's account name
    if "userdelegationkey" in parts.query:
        return ("account", "delegate")
    what = "read" if request.method in ("GET", "HEAD") else "write"
    is_table = "x-ms-blob-type" not in request.headers and "json" in str(request.headers.get("Accept", ""))
    return ("tables" if is_table else place, what)


def test_the_roles_are_what_a_scheduled_and_a_refused_file_need(
    connection: Secret, https_azurite: Azurite, tmp_path: Path, used: set[Operation]
) -> None:
    models = tmp_path / "models.toml"
    models.write_text((ROOT / "models.toml").read_text().replace('# schedule = "0 0 3', 'schedule = "* * *'))
    with_key = BlobStore(Secret(https_azurite.connection_string))
    with_key.write("holdouts/census/holdout.csv", people(1000, seed=99))
    with_key.write("artifacts/published.ilearner", b"quality=0.5")
    reference = with_key.reference("artifacts/published.ilearner", write=False, lifetime=timedelta(hours=1))
    for name, rows in {"a": people(600, seed=31), "b": people(700, seed=32), "bad": b"age\nforty\n"}.items():
        with_key.write(f"training-data/census/{name}.csv", rows)
    ahead = [timedelta()]
    with ClassicService(published=reference.signed_url().reveal()) as service:
        settings = service.settings() | SCHEDULES | own_settings(https_azurite) | {"MODELS_FILE": str(models)}
        app = compose(settings, lambda: datetime.now(UTC) + ahead[0])
        app.prepare()
        app.scheduled.retrain_due()
        for name in ("a", "b", "bad"):
            app.arrival.receive(app.reporting._blobs.blob(f"training-data/census/{name}.csv"))
        app.sweeping.sweep()
        ahead[0] += timedelta(minutes=1)
        app.scheduled.retrain_due()
        _finish(app)

    assert used - granted() == set(), "the app does what no role allows"
    implied = {(where, "read") for where, what in granted() if what == "write"}
    assert granted() - used - implied == set(), "a role allows what the app does not do"


def _finish(app: Any) -> None:
    for _ in range(20):
        for message in app.polling.tick():
            due = json.loads(message)
            app.evaluation.evaluate(due["model"], due["run"])
        app.announcing.announce_due()
        runs = app.views.runs(None)["runs"]
        if any("census/a.csv" in run["datasets"] and run["is_final"] for run in runs):
            return
    raise AssertionError(f"not final: {runs}")
