"""Batch execution of a predictive web service: files scored by a real worker, like rows that are sent one by one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import ContainerClient
from exchanges import DATA, Jobs, Published, RunJobs, bearer, content, error_of, people

from shared.secret import Secret
from studio.commands.publish import publish
from studio.services.addresses import Addresses

ROWS = [["40", "40", "clerk"], ["51", "12.5", "judge"], ["", "60", "smith"], ["23", "33", "unheard of"]]
HEADER = ["age", "hours", "job"]
ARFF = "% by hand\n@relation people\n" + "".join(f"@attribute {name} string\n" for name in HEADER) + "@data\n"
INPUTS = {
    ".csv": "\n".join(map(",".join, [HEADER, *ROWS])),
    ".tsv": "\n".join(map("\t".join, [HEADER[::-1], *(row[::-1] for row in ROWS)])),
    ".nh.csv": "\n".join(map(",".join, ROWS)),
    ".nh.tsv": "\n".join("\t".join([*row, ">50K"]) for row in ROWS),
    ".arff": ARFF + "\n".join(",".join(repr(cell) if cell else "?" for cell in row) for row in ROWS),
}
FIRST_AND_SEPARATOR = {
    ".tsv": ("age\t", "\t"),
    ".nh.csv": ("40,", ","),
    ".nh.tsv": ("40\t", "\t"),
    ".arff": ("@RELATION", ","),
}
DECLARED = (
    (DATA / "income.toml").read_text(encoding="utf-8").replace("Income", "Adjusted income")
    + """
"Cut" = { sets = "score.Threshold", required = true }
"With columns" = { sets = "score.Append score columns to output" }
[score]
"Append score columns to output" = false
"""
)

Given = Callable[[str], dict[str, Any]]


@pytest.fixture
def published(standing: Published) -> Published:
    """No test here changes what is published; what an earlier one left in the queue is not this one's matter."""
    standing.service.storage.queue.clear_messages()
    return standing


@pytest.fixture(scope="module")
def adjusted(standing: Published, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A predictive web service that shows scored columns alone, and asks every caller for a threshold."""
    folder = tmp_path_factory.mktemp("adjusted")
    (folder / "adjusted.toml").write_text(DECLARED, encoding="utf-8")
    publication = publish(standing.service, folder / "adjusted.toml", people(folder / "a.csv", 300), ["live"])
    standing.service.registry.refresh()
    values = publication.to_json(Addresses(standing.service.settings.url))
    return Published(standing.client, standing.service, publication, values)


@pytest.fixture
def given(box: ContainerClient, storage: Secret) -> Given:
    """Upload the rows in a format, and name them."""

    def upload(extension: str, text: str = "") -> dict[str, Any]:
        box.upload_blob(f"rows{extension}", text or INPUTS[extension], overwrite=True)
        place = {"ConnectionString": storage.reveal(), "RelativeLocation": f"/{box.container_name}/rows{extension}"}
        return {"Inputs": {"input1": place}}

    return upload


def executed(published: Published, rows: list[list[str]] = ROWS, **parts: Any) -> list[list[str]]:
    """Score rows by request and response; a missing cell is an empty text, as in a file."""
    cells = [[cell or None for cell in row] for row in rows]
    body = {"Inputs": {"input1": {"ColumnNames": HEADER, "Values": cells}}, **parts}
    live = published.endpoint("live")
    answer = published.client.post(f"{live['api_location']}/execute", headers=published.headers("live"), json=body)
    return [
        [cell or "" for cell in row]
        for row in answer.raise_for_status().json()["Results"]["output1"]["value"]["Values"]
    ]


def table(status: dict[str, Any]) -> list[list[str]]:
    assert status["StatusCode"] == "Finished", status["Details"]
    return list(csv.reader(io.StringIO(content(status["Results"]["output1"]).decode())))


@pytest.mark.parametrize("extension", [*INPUTS])
def test_a_file_of_any_format_is_scored_like_its_rows(
    published: Published, given: Given, run_jobs: RunJobs, extension: str
) -> None:
    header, *rows = table(Jobs(published, "live").finished(given(extension), run_jobs))

    assert header == [*HEADER, "income", "Scored Labels", "Scored Probabilities"]
    assert [row[:3] for row in rows] == ROWS
    assert [row[4:] for row in rows] == [row[4:] for row in executed(published)]


@pytest.mark.parametrize("extension", [".tsv", ".nh.csv", ".nh.tsv", ".arff"])
def test_scored_rows_are_written_in_the_format_of_their_name(
    published: Published, given: Given, run_jobs: RunJobs, box: ContainerClient, storage: Secret, extension: str
) -> None:
    place = {"ConnectionString": storage.reveal(), "RelativeLocation": f"{box.container_name}/scored{extension}"}

    status = Jobs(published, "live").finished({**given(".csv"), "Outputs": {"output1": place}}, run_jobs)

    assert status["Results"]["output1"]["RelativeLocation"] == f"{box.container_name}/scored{extension}"
    lines = content(status["Results"]["output1"]).decode().splitlines()
    first, separator = FIRST_AND_SEPARATOR[extension]
    assert lines[0].startswith(first)
    assert lines[-1].split(separator)[-1] == executed(published)[-1][-1]


def test_without_a_place_the_scores_go_to_the_services_own_storage(
    published: Published, given: Given, run_jobs: RunJobs
) -> None:
    status = Jobs(published, "live").finished(given(".csv"), run_jobs)

    place = status["Results"]["output1"]["RelativeLocation"]
    assert re.fullmatch(r"experimentoutput/[0-9a-f-]{36}/[0-9a-f-]{36}\.csv", place)
    assert len(table(status)) == 5


def test_a_cell_that_cannot_be_read_fails_the_job_by_line_and_column(
    published: Published, given: Given, run_jobs: RunJobs
) -> None:
    status = Jobs(published, "live").finished(given(".csv", "age,hours,job\n40,40,clerk\nold,1,clerk\n"), run_jobs)

    assert (status["StatusCode"], status["Results"]) == ("Failed", None)
    assert status["Details"].startswith("Module: Score Model; Error 0042: line 3, column 'age'")


def test_a_missing_column_fails_the_job_by_name(published: Published, given: Given, run_jobs: RunJobs) -> None:
    status = Jobs(published, "live").finished(given(".csv", "age,hours\n40,40\n"), run_jobs)

    assert "Error 0001: column(s) ['job'] not found" in status["Details"]


def test_a_waiting_job_is_cancelled_and_an_unknown_one_not_found(
    published: Published, given: Given, run_jobs: RunJobs, box: ContainerClient
) -> None:
    jobs = Jobs(published, "live")
    job_id = jobs.submit(given(".csv"))
    jobs.call("POST", f"/{job_id}/start")

    answers = [jobs.call("DELETE", f"/{job_id}").status_code for _ in range(2)]
    run_jobs()

    assert answers == [204, 204]
    assert jobs.call("GET", f"/{job_id}").json()["StatusCode"] == "Cancelled"
    assert [blob.name for blob in box.list_blobs()] == ["rows.csv"]
    assert error_of(Jobs(published, "staging").call("GET", f"/{job_id}")) == (404, "NotFound", "JobNotFound")


def test_a_job_scores_with_the_model_that_served_when_it_was_submitted(
    published: Published, given: Given, jobs: Jobs, request_body: dict[str, Any], run_jobs: RunJobs
) -> None:
    staging = published.endpoint("staging")
    model = jobs.finished(request_body, run_jobs)["Results"]["output1"]
    before = Jobs(published, "staging").submit(given(".csv"))

    update = {"Resources": [{"Name": published.json["predictive"]["resource"], "Location": model}]}
    published.client.patch(staging["management_url"], headers=published.headers("staging"), json=update)
    after = Jobs(published, "staging").submit(given(".csv"))
    for job in (before, after):
        Jobs(published, "staging").call("POST", f"/{job}/start")
    run_jobs()
    old, new = (table(Jobs(published, "staging").call("GET", f"/{job}").json()) for job in (before, after))

    assert [row[4:] for row in old[1:]] == [row[4:] for row in executed(published)]
    assert old != new


def test_the_2015_form_of_a_scoring_job_is_served(published: Published, given: Given, run_jobs: RunJobs) -> None:
    jobs = Jobs(published, "live")
    oldest = {"Input": given(".csv")["Inputs"]["input1"], "Output": None, "GlobalParameters": {}}

    job_id = jobs.call("POST", "", version="", json=oldest).json()
    run_jobs()
    status = jobs.call("GET", f"/{job_id}", version="").json()

    assert status["StatusCode"] == 4
    assert len(content(status["Result"]).splitlines()) == 5


def test_parameters_change_how_rows_are_shown(adjusted: Published, given: Given, run_jobs: RunJobs) -> None:
    alone = executed(adjusted, GlobalParameters={"Cut": 0.5})
    probabilities = [float(row[-1]) for row in alone]
    cut = sorted(probabilities)[2]

    labelled = executed(adjusted, GlobalParameters={"Cut": str(cut), "With columns": True})
    body = {**given(".csv"), "GlobalParameters": {"Cut": str(cut), "With columns": "true"}}
    scored = table(Jobs(adjusted, "live").finished(body, run_jobs))

    assert [len(row) for row in alone] == [2] * 4
    assert [row[4] for row in labelled] == [">50K" if probability >= cut else "<=50K" for probability in probabilities]
    assert scored[0] == [*HEADER, "income", "Scored Labels", "Scored Probabilities"]
    assert scored[1:] == labelled


@pytest.mark.parametrize(
    ("parameters", "detail"),
    [
        ({}, "MissingRequiredGlobalParameters"),
        ({"Cut": None}, "MissingRequiredGlobalParameters"),
        ({"Cut": "0.5", "cut": "0.5"}, "UnexpectedParameter"),
        ({"Cut": "much"}, "UserParameterInvalid"),
        ({"Cut": 1.5}, "UserParameterInvalid"),
        ({"Cut": "0.5", "With columns": "perhaps"}, "UserParameterInvalid"),
    ],
)
def test_a_wrong_parameter_is_refused_alike_in_both(
    adjusted: Published, given: Given, parameters: dict[str, Any], detail: str
) -> None:
    live = adjusted.endpoint("live")
    rows = {"Inputs": {"input1": {"ColumnNames": HEADER, "Values": ROWS[:1]}}, "GlobalParameters": parameters}
    key = bearer(live["primary_key"])

    now = adjusted.client.post(f"{live['api_location']}/execute", headers=key, json=rows)
    later = Jobs(adjusted, "live").call("POST", "", json={**given(".csv"), "GlobalParameters": parameters})

    assert error_of(now) == (400, "BadUserArgument", detail)
    assert error_of(later) == (400, "BadArgument", detail)


def test_descriptions_show_parameters_and_the_columns_that_come_out(adjusted: Published) -> None:
    live = adjusted.endpoint("live")
    document = adjusted.client.get(f"{live['api_location']}/swagger.json").json()
    shown = adjusted.client.get(live["management_url"], headers=bearer(live["primary_key"])).json()
    pages = [adjusted.client.get(shown["HelpLocation"] + page).text for page in ("/score", "/jobs")]

    definitions = document["definitions"]
    assert [*definitions["output1Item"]["properties"]] == ["Scored Labels", "Scored Probabilities"]
    assert definitions["GlobalParameters"]["properties"]["With columns"] == {"type": "string", "default": "false"}
    assert definitions["GlobalParameters"]["required"] == ["Cut"]
    assert [*definitions["BatchOutputs"]["properties"]] == ["output1"]
    assert all("With columns" in page and "none: required" in page for page in pages)


def test_all_outputs_of_a_training_come_out_of_one_job(
    published: Published, run_jobs: RunJobs, box: ContainerClient, storage: Secret, tmp_path: Path
) -> None:
    text = (DATA / "income.toml").read_text(encoding="utf-8").replace("Income", "Whole")
    ports = ["scored_output", "folds_output", "fold_scores_output", "sweep_output"]
    options = '[cross_validate]\nfolds = 3\n[tune]\nruns = 2\n[tune.ranges]\n"Learning rate" = [0.1, 0.2]\n'
    declared = "".join(f'{port} = "{port}"\n' for port in ports)
    (tmp_path / "whole.toml").write_text(
        text.replace("[web_service.parameters]", f"[web_service]\n{declared}[web_service.parameters]") + options
    )
    data = people(tmp_path / "rows.csv", 300)
    publication = publish(published.service, tmp_path / "whole.toml", data, [])
    published.service.registry.refresh()
    values = publication.to_json(Addresses(published.service.settings.url))
    lines = data.read_text(encoding="utf-8").splitlines()
    arff = "@relation p\n" + "".join(f"@attribute {n} string\n" for n in lines[0].split(",")) + "@data\n"
    box.upload_blob("rows.arff", arff + "\n".join(lines[1:]))
    place = {"ConnectionString": storage.reveal(), "RelativeLocation": f"{box.container_name}/folds.nh.tsv"}
    source = {**place, "RelativeLocation": f"{box.container_name}/rows.arff"}

    status = Jobs(Published(published.client, published.service, publication, values)).finished(
        {"Inputs": {"input1": source}, "Outputs": {"folds_output": place}}, run_jobs
    )

    assert status["StatusCode"] == "Finished", status["Details"]
    outputs = status["Results"]
    written = {name: content(outputs[name]).decode().splitlines() for name in ("output2", *ports)}
    assert [*outputs] == ["output1", "output2", *ports]
    assert [len(written[name]) for name in ("output2", *ports)] == [2, 91, 5, 301, 3]
    assert written["folds_output"][-1].startswith("Standard Deviation\t")
    assert written["fold_scores_output"][0].startswith("Fold Assignments,age,")
