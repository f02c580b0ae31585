"""Publishing over HTTP: a declaration and the name of its data become web services that train and score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.storage.blob import ContainerClient
from exchanges import DATA, ROW, TOKEN, RunJobs, bearer, error_of, people

from shared.secret import Secret
from studio.bootstrap import Service

TEXT = (DATA / "income.toml").read_text(encoding="utf-8")


class Publisher:
    """Somebody with the workspace token and nothing published yet."""

    def __init__(self, client: httpx.Client, service: Service, data: dict[str, str]) -> None:
        self.client = client
        self.address = f"/workspaces/{service.settings.workspace}/experiments"
        self.data = data

    def begin(self, token: str = TOKEN, **body: Any) -> httpx.Response:
        return self.client.post(
            self.address, headers=bearer(token), json={"Experiment": TEXT, "Data": self.data, **body}
        )

    def activity(self) -> str:
        answer = self.begin()
        assert answer.status_code == 202, answer.text
        return str(answer.json()["ActivityId"])

    def status(self, activity: str) -> dict[str, Any]:
        return dict(self.client.get(f"{self.address}/{activity}", headers=bearer(TOKEN)).raise_for_status().json())

    def complete(self, activity: str, body: object = None) -> httpx.Response:
        sent = {} if body is None else {"json": body}
        return self.client.post(f"{self.address}/{activity}/webservice", headers=bearer(TOKEN), **sent)


@pytest.fixture
def publisher(
    client: httpx.Client, service: Service, box: ContainerClient, storage: Secret, tmp_path: Path
) -> Publisher:
    box.upload_blob("first.csv", people(tmp_path / "first.csv", 300).read_bytes())
    place = f"{box.container_name}/first.csv"
    return Publisher(client, service, {"ConnectionString": storage.reveal(), "RelativeLocation": place})


def test_a_declaration_becomes_web_services_that_score(publisher: Publisher, run_jobs: RunJobs) -> None:
    activity = publisher.activity()
    before = publisher.status(activity)["Status"]
    run_jobs()
    after = publisher.status(activity)["Status"]

    published = publisher.complete(activity, {"Endpoints": ["live"]}).raise_for_status().json()

    assert (before, after) == ("Pending", "Trained")
    assert set(published["predictive"]["endpoints"]) == {"default", "live"}
    assert 0 < published["summary"]["metrics"]["AUC"] <= 1
    live = published["predictive"]["endpoints"]["live"]
    scored = publisher.client.post(f"{live['api_location']}/execute", headers=bearer(live["primary_key"]), json=ROW)
    assert scored.status_code == 200


def test_a_declaration_of_many_columns_is_published(
    publisher: Publisher, run_jobs: RunJobs, box: ContainerClient
) -> None:
    names = [f"measured quantity number {n}" for n in range(1700)]
    columns = "\n".join(f'"{name}" = "Numeric"' for name in names)
    text = TEXT.replace('age = "Integer"', columns).replace('hours = "Numeric"\njob = "Categorical"', "")
    rows = [",".join([*names, "income"])]
    rows += [",".join([*(str(n) for _ in names), ("<=50K", ">50K")[n > 60]]) for n in range(120)]
    box.upload_blob("wide.csv", "\n".join(rows))
    data = publisher.data | {"RelativeLocation": f"{box.container_name}/wide.csv"}

    began = publisher.begin(Experiment=text, Data=data)
    assert began.status_code == 202, began.text
    activity = str(began.json()["ActivityId"])
    run_jobs()
    published = publisher.complete(activity)

    assert len(text) > 40_000
    assert published.status_code == 200, published.text


def test_completing_again_keeps_ids_and_keys(publisher: Publisher, run_jobs: RunJobs) -> None:
    activity = publisher.activity()
    run_jobs()

    first, second = publisher.complete(activity).json(), publisher.complete(activity).json()

    assert first == second


def test_publishing_again_keeps_the_training_endpoint(publisher: Publisher, run_jobs: RunJobs) -> None:
    activity = publisher.activity()
    run_jobs()
    before = publisher.complete(activity).json()

    again = publisher.activity()
    run_jobs()
    after = publisher.complete(again).json()

    assert again != activity
    assert after["training"] == before["training"]


def test_what_has_not_been_trained_cannot_be_published(publisher: Publisher) -> None:
    answer = publisher.complete(publisher.activity())

    assert error_of(answer) == (400, "InvalidOperation", "CannotStartJob")
    assert "NotStarted" in answer.json()["error"]["details"][0]["message"]


def test_a_training_that_failed_says_why(publisher: Publisher, box: ContainerClient, run_jobs: RunJobs) -> None:
    box.upload_blob("first.csv", b"age,hours\n1,2\n", overwrite=True)
    activity = publisher.activity()
    run_jobs()

    status = publisher.status(activity)

    assert status["Status"] == "Failed"
    assert "Error 0001" in status["Details"]
    assert error_of(publisher.complete(activity)) == (400, "InvalidOperation", "CannotStartJob")


def test_all_problems_of_a_declaration_are_named_at_once(publisher: Publisher) -> None:
    text = TEXT.replace('"Integer"', '"Whole"').replace("0.7", "7").replace("Number of trees constructed", "Trees")

    answer = publisher.begin(Experiment=text)

    assert error_of(answer) == (400, "BadArgument", "ModelConfigurationInvalid")
    message = answer.json()["error"]["details"][0]["message"]
    for named in ("columns", "fraction", "Trees"):
        assert named in message


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"Experiment": None}, "RequestBodyInvalid"),
        ({"Experiment": 7}, "RequestBodyInvalid"),
        ({"Experiment": "= broken"}, "ModelConfigurationInvalid"),
        ({"Data": None}, "BatchJobInputsNotSpecified"),
        ({"Data": {"RelativeLocation": "box/a.csv"}}, "MissingInputBlobInformation"),
        ({"Data": {"RelativeLocation": "box/a.csv", "BaseLocation": "https://evil.example/"}}, "InvalidBlob"),
        ({"GlobalParameters": {"Nothing": "1"}}, "UnexpectedParameter"),
    ],
)
def test_each_mistake_has_the_protocols_codes(publisher: Publisher, body: dict[str, Any], detail: str) -> None:
    assert error_of(publisher.begin(**body)) == (400, "BadArgument", detail)


@pytest.mark.parametrize("names", ["live", ["Live!"], [7]])
def test_odd_endpoint_names_are_refused(publisher: Publisher, run_jobs: RunJobs, names: object) -> None:
    activity = publisher.activity()
    run_jobs()

    assert publisher.complete(activity, {"Endpoints": names}).status_code == 400


@pytest.mark.parametrize("activity", ["x", "0" * 64])
def test_an_unknown_publication_is_not_found(publisher: Publisher, activity: str) -> None:
    answer = publisher.client.get(f"{publisher.address}/{activity}", headers=bearer(TOKEN))

    assert error_of(answer) == (404, "NotFound", "JobNotFound")


def test_a_declaration_may_be_large_up_to_the_limit_of_a_definition(publisher: Publisher) -> None:
    def begun(n_bytes: int) -> httpx.Response:
        return publisher.begin(Experiment=TEXT + "#" * n_bytes)

    assert begun(2_900_000).status_code == 202
    assert error_of(begun(3_000_000)) == (413, "MemoryQuotaViolation", "OutOfMemoryLimit")


def test_publishing_needs_the_workspace_token(publisher: Publisher) -> None:
    assert error_of(publisher.begin(token="wrong"))[0] == 401


def test_another_workspace_is_not_found(publisher: Publisher) -> None:
    publisher.address = f"/workspaces/{'0' * 32}/experiments"

    assert error_of(publisher.begin()) == (404, "NotFound", "WorkspaceNotFound")
