"""The function app's doctor against the real service: what fits is said to fit; each fault comes with its remedy."""

from __future__ import annotations

import contextlib
import http.client
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from deployment import Deployment, Storage
from exchanges import DATA, people
from local_server import LocalServer, QuietHandler

from infra.hooks.publish import model_settings
from shared.adapters.blobs import BlobStore
from shared.adapters.storage_layout import create_storage
from shared.composition import App, compose
from shared.domain.diagnosis import Diagnosis
from shared.secret import Secret

MODELS = """
[models.census]
folder = "census"
holdout = "census/holdout.csv"
gate = "none"

[models.census.training]
jobs_url = "%CENSUS_JOBS_URL%"
key = "%CENSUS_JOBS_KEY%"
input = "input1"
outputs = { output1 = ".ilearner", output2 = ".csv" }

[models.census.scoring]
resource = "RESOURCE"
live = { url = "%CENSUS_LIVE_URL%", key = "%CENSUS_LIVE_KEY%" }
staging = { url = "%CENSUS_STAGING_URL%", key = "%CENSUS_STAGING_KEY%" }

[models.census.contract]
label = "income"
positive = ">50K"

[models.census.contract.columns]
income = { kind = "category", values = ["<=50K", ">50K"] }
"""


class Clinic:
    """A published experiment, and apps that are set up for it, or nearly."""

    def __init__(self, deployment: Deployment, publication: Mapping[str, Any], folder: Path, walled: str) -> None:
        self.deployment, self._folder, self.walled = deployment, folder, walled
        self._resource = publication["predictive"]["resource"]
        self.settings = {
            "DATA_STORAGE": deployment.connection_string,
            "POLL_SCHEDULE": "* * * * * *",
            "RETRAIN_SCHEDULE": "* * * * * *",
            **model_settings("census", publication),
        }
        storage = Secret(deployment.connection_string)
        create_storage(storage)
        BlobStore(storage).write("holdouts/census/holdout.csv", b"age,income\n1,<=50K\n")

    def app(self, *changes: tuple[str, str], **settings: str) -> App:
        text = MODELS.replace("RESOURCE", self._resource)
        for right, wrong in changes:
            assert right in text
            text = text.replace(right, wrong)
        models = self._folder / "models.toml"
        models.write_text(text)
        return compose({**self.settings, "MODELS_FILE": str(models), **settings})

    def models_served(self) -> list[str]:
        """Digests of the endpoints' models, from the service's own account of itself."""
        names = [name for name in self.settings if name.endswith("_URL") and "JOBS" not in name]
        answers = [
            self.deployment.client.get(
                self.settings[name], headers={"Authorization": f"Bearer {self.settings[name[:-3] + 'KEY']}"}
            )
            for name in sorted(names)
        ]
        return [
            str(answer.raise_for_status().json()["Resources"][0]["Location"]["RelativeLocation"]) for answer in answers
        ]

    def faults(self, *changes: tuple[str, str], **settings: str) -> dict[str, Diagnosis]:
        return {each.check: each for each in self.app(*changes, **settings).doctor.examine() if not each.ok}


class Firewall(QuietHandler):
    """Lets everybody through to storage but those who look for the blob that is not there."""

    target: int

    def do_GET(self) -> None:
        if "not-there" in self.path:
            self.send_response(403)
            self.send_header("x-ms-error-code", "AuthorizationFailure")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        storage = http.client.HTTPConnection("127.0.0.1", self.target, timeout=10)
        with contextlib.closing(storage):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            storage.request(self.command, self.path, body, dict(self.headers))
            answer = storage.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "keep-alive", "date", "server"):
                    self.send_header(name, value)
            if "Content-Length" not in answer.headers:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    do_HEAD = do_PUT = do_POST = do_GET  # noqa: N815


@pytest.fixture(scope="module")
def clinic(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    blobs = re.search(r"BlobEndpoint=(http://127\.0\.0\.1:(\d+))/", storage.connection_string)
    assert blobs
    with (
        LocalServer(Firewall, target=int(blobs[2])) as firewall,
        Deployment(storage.connection_string, folder, STUDIO_BLOB_HOSTS=f"127.0.0.1:{firewall.port}") as deployment,
    ):
        publication = deployment.publish(DATA / "income.toml", people(folder / "train.csv", 1000), "live", "staging")
        deployment.serve(workers=0)
        yield Clinic(deployment, publication, folder, storage.connection_string.replace(blobs[1], firewall.url))


def test_what_fits_is_said_to_fit(clinic: Clinic) -> None:
    found = clinic.app().doctor.examine()

    assert [each for each in found if not each.ok] == []
    assert {each.check for each in found} == {
        "containers",
        "clock",
        "holdout",
        "training",
        "live",
        "staging",
        "handover",
    }


def test_no_job_is_left_nothing_was_trained_and_no_endpoint_changed(clinic: Clinic) -> None:
    before = clinic.models_served()
    clinic.app().doctor.examine()

    assert clinic.models_served() == before
    assert "claimed" not in clinic.deployment.log()
    blobs = BlobStore(Secret(clinic.deployment.connection_string))
    assert blobs.read("artifacts/census/doctor/probe/output1.ilearner") is None


def test_a_wrong_key_is_named(clinic: Clinic) -> None:
    faults = clinic.faults(CENSUS_JOBS_KEY="wrong", CENSUS_LIVE_KEY="wrong as well")

    assert set(faults) == {"training", "live"}
    assert "key" in faults["training"].remedy
    assert "scoring.live" in faults["live"].remedy
    assert "wrong" not in str(faults)


def test_an_output_that_the_experiment_has_not_is_named(clinic: Clinic) -> None:
    faults = clinic.faults(("output2 =", "output9 ="))

    assert set(faults) == {"training"}
    assert "training.outputs" in faults["training"].remedy


def test_a_resource_of_another_name_is_named_with_those_that_there_are(clinic: Clinic) -> None:
    faults = clinic.faults(('resource = "', 'resource = "Other '))

    assert set(faults) == {"live", "staging"}
    assert "it has '" in faults["live"].found


def test_storage_that_the_service_may_not_reach_is_named(clinic: Clinic) -> None:
    elsewhere = clinic.deployment.connection_string.replace("127.0.0.1", "localhost")
    faults = clinic.faults(DATA_STORAGE=elsewhere)

    assert set(faults) == {"training", "handover"}
    assert "STUDIO_BLOB_HOSTS" in faults["training"].remedy
    assert "STUDIO_BLOB_HOSTS" in faults["handover"].remedy


def test_storage_that_lets_the_app_in_and_not_the_service_is_named(clinic: Clinic) -> None:
    faults = clinic.faults(DATA_STORAGE=clinic.walled)

    assert set(faults) == {"handover"}
    assert "127.0.0.1" in faults["handover"].found
    assert "firewall" in faults["handover"].remedy


def test_a_training_service_that_is_not_there_is_named(clinic: Clinic) -> None:
    faults = clinic.faults(CENSUS_JOBS_URL=clinic.settings["CENSUS_JOBS_URL"].replace("/services/", "/services/0"))

    assert set(faults) == {"training"}
    assert "training.jobs_url" in faults["training"].remedy


@pytest.mark.parametrize(
    ("pattern", "wrong", "found"),
    [
        (r"AccountKey=[^;]+", "AccountKey=d3Jvbmc=", "refuses the app (403 AuthorizationFailure)"),
        (r":\d+/devstore", ":9/devstore", "does not answer (ServiceRequestError)"),
    ],
)
def test_storage_that_is_closed_is_told_once_and_soon(clinic: Clinic, pattern: str, wrong: str, found: str) -> None:
    app = clinic.app(DATA_STORAGE=re.sub(pattern, wrong, clinic.deployment.connection_string))
    faults = {each.check: each for each in app.doctor.examine() if not each.ok}

    assert set(faults) == {"reachable", "training"}
    assert faults["reachable"].found == found
    assert "first mend storage" in faults["training"].remedy
    assert app.health.report()[1]["storage"] == found


def test_a_missing_holdout_is_named(clinic: Clinic) -> None:
    faults = clinic.faults(("census/holdout.csv", "census/other.csv"))

    assert set(faults) == {"holdout"}
    ready, facts = clinic.app(("census/holdout.csv", "census/other.csv")).health.report()
    assert not ready
    assert facts["models"]["census"] == "there is no 'census/other.csv' in the container 'holdouts'; upload it there"


def test_placeholders_are_no_outage(clinic: Clinic) -> None:
    app = clinic.app(CENSUS_LIVE_URL="https://not-published.invalid/webservices/none/endpoints/live")

    faults = {each.check for each in app.doctor.examine() if not each.ok}
    ready, facts = app.health.report()

    assert faults == {"published"}
    assert not ready
    assert "not published" in facts["services"]["census"]


def test_ready_says_who_does_not_answer(clinic: Clinic) -> None:
    ready, facts = clinic.app().health.report()
    assert (ready, facts["status"]) == (True, "ok")
    assert facts["services"] == facts["models"] == {"census": "ok"}

    ready, facts = clinic.app(CENSUS_JOBS_URL="http://127.0.0.1:9/jobs").health.report()
    assert (ready, facts["live"], facts["storage"]) == (False, True, "ok")
    assert "127.0.0.1:9" in facts["services"]["census"]
