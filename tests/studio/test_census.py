"""The retraining sample of the classic documentation, on the real Adult data: publish, retrain, update, score."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import httpx
import pytest
from azure.storage.blob import ContainerClient
from exchanges import VERSION, bearer

from shared.secret import Secret
from shared.wire import JobReport, JobStatus
from studio.bootstrap import Service
from studio.commands.publish import publish
from studio.services.addresses import Addresses

ROOT = Path(__file__).parents[2]
ADULT = ROOT.parent / "shared" / "data" / "adult" / "adult.csv"

pytestmark = pytest.mark.skipif(not ADULT.is_file(), reason=f"the real Adult data is not at {ADULT}")


@pytest.fixture
def early_file(tmp_path: Path) -> Path:
    """The first 600 rows."""
    path = tmp_path / "early.csv"
    with ADULT.open(encoding="utf-8") as rows:
        path.write_text("".join(islice(rows, 601)), encoding="utf-8")
    return path


def test_retraining_on_all_data_reaches_the_published_figures_and_serves(
    service: Service,
    client: httpx.Client,
    early_file: Path,
    box: ContainerClient,
    storage: Secret,
    run_jobs: Callable[[], None],
) -> None:
    publication = publish(service, ROOT / "examples" / "census" / "experiment.toml", early_file, ["live"])
    published = publication.to_json(Addresses(service.settings.url))
    jobs, live = published["training"], published["predictive"]["endpoints"]["live"]
    with ADULT.open("rb") as data:
        box.upload_blob("adult.csv", data)
    reference = {"ConnectionString": storage.reveal(), "RelativeLocation": f"/{box.container_name}/adult.csv"}
    with ADULT.open(encoding="utf-8", newline="") as rows:
        columns, *sample = islice(csv.reader(rows), 11)
    scoring = {"Inputs": {"input1": {"ColumnNames": columns, "Values": sample}}, "GlobalParameters": {}}

    def scored() -> list[list[str]]:
        answer = client.post(
            f"{live['api_location']}/execute{VERSION}", headers=bearer(live["primary_key"]), json=scoring
        )
        return list(answer.raise_for_status().json()["Results"]["output1"]["value"]["Values"])

    before = scored()
    headers = bearer(jobs["primary_key"])
    job = client.post(jobs["jobs_url"] + VERSION, headers=headers, json={"Inputs": {"input1": reference}}).json()
    client.post(f"{jobs['jobs_url']}/{job}/start{VERSION}", headers=headers)
    run_jobs()
    report = JobReport.from_wire(client.get(f"{jobs['jobs_url']}/{job}{VERSION}", headers=headers).json())
    model, metrics = report.result_with(".ilearner"), report.result_with(".csv")

    assert report.status is JobStatus.FINISHED, report.details
    assert model is not None
    assert metrics is not None
    text = httpx.get(metrics.signed_url().reveal(), trust_env=False).text
    [figures] = csv.DictReader(io.StringIO(text))
    assert float(figures["AUC"]) >= 0.922
    assert float(figures["Accuracy"]) >= 0.867

    resources = [{"Name": published["predictive"]["resource"], "Location": model.to_wire()}]
    answer = client.patch(live["management_url"], headers=bearer(live["primary_key"]), json={"Resources": resources})

    after = scored()
    assert answer.status_code == 204
    assert [row[:15] for row in after] == [row[:15] for row in before] == sample
    assert [row[16] for row in after] != [row[16] for row in before]
