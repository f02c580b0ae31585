"""The sample programs of the classic service's help pages and articles: what each reads, and how, from our answers."""

# ruff: noqa: S310 - the samples' own calls, to a server of ours

from __future__ import annotations

import json
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.storage.blob import ContainerClient
from exchanges import VERSION, Jobs, Published, content
from sample_programs import needs, output_of

from shared.secret import Secret

CLASSIC = Path(__file__).parent / "classic"


def invoke_batch_execution_service(url: str, api_key: str, payload: dict[str, Any]) -> dict[str, str]:
    """
    The Python sample of the help page, as in the notebook of March 2017, ported from urllib2 and otherwise as it stood.

    Returns the address of each result as the sample prints it.
    """
    body = str.encode(json.dumps(payload))
    headers = {"Content-Type": "application/json", "Authorization": ("Bearer " + api_key)}
    req = urllib.request.Request(url + "?api-version=2.0", body, headers)
    response = urllib.request.urlopen(req)
    result = response.read().decode()
    job_id = result[1:-1]  # remove the enclosing double-quotes

    req = urllib.request.Request(url + "/" + job_id + "/start?api-version=2.0", b"", headers)
    response = urllib.request.urlopen(req)

    url2 = url + "/" + job_id + "?api-version=2.0"
    while True:
        req = urllib.request.Request(url2, headers={"Authorization": ("Bearer " + api_key)})
        response = urllib.request.urlopen(req)
        result = json.loads(response.read())
        status = result["StatusCode"]
        if status in (2, "Failed"):
            raise AssertionError("Error details: " + result["Details"])
        if status in (3, "Cancelled"):
            raise AssertionError("Job " + job_id + " cancelled!")
        if status in (4, "Finished"):
            return {
                name: value["BaseLocation"] + value["RelativeLocation"] + value["SasBlobToken"]
                for name, value in result["Results"].items()
            }
        assert status in (0, 1, "NotStarted", "Running")
        time.sleep(0.1)


def test_the_help_pages_python_sample_trains(
    published: Published, request_body: dict[str, Any], working: threading.Event
) -> None:
    addresses = invoke_batch_execution_service(
        published.jobs_url, published.json["training"]["primary_key"], request_body
    )

    found = {
        name: httpx.get(address, trust_env=False).raise_for_status().content for name, address in addresses.items()
    }
    assert found["output1"].startswith(b"PK")
    assert found["output2"].startswith(b"Accuracy,Precision,")


def test_the_same_sample_scores_a_file(
    published: Published, box: ContainerClient, storage: Secret, working: threading.Event
) -> None:
    box.upload_blob("rows.csv", b"age,hours,job\n40,40,clerk\n")
    live = published.endpoint("live")
    payload = {
        "Inputs": {
            "input1": {"ConnectionString": storage.reveal(), "RelativeLocation": f"/{box.container_name}/rows.csv"}
        },
        "Outputs": {
            "output1": {
                "ConnectionString": storage.reveal(),
                "RelativeLocation": f"/{box.container_name}/output1results.csv",
            }
        },
        "GlobalParameters": {},
    }

    addresses = invoke_batch_execution_service(f"{live['api_location']}/jobs", live["primary_key"], payload)

    assert f"{box.container_name}/output1results.csv?" in addresses["output1"]
    [header, row] = httpx.get(addresses["output1"], trust_env=False).text.splitlines()
    assert header == "age,hours,job,income,Scored Labels,Scored Probabilities"
    assert row.startswith("40,40,clerk,,")


def test_the_java_client_is_understood_and_understands(
    published: Published, request_body: dict[str, Any], jobs: Jobs, working: threading.Event
) -> None:
    """It sends text/json with a coding that is none, and takes every quotation mark out of the job id."""
    odd = {"Content-Type": "text/json", "Content-Encoding": "UTF-8", "Accept": "text/json"}

    submitted = jobs.call("POST", "", content=json.dumps(request_body), headers=odd)
    job_id = submitted.text.replace('"', "")
    started = jobs.call("POST", f"/{job_id}/start", headers=odd)
    while (status := jobs.call("GET", f"/{job_id}", headers=odd).json())["StatusCode"] in ("NotStarted", "Running"):
        time.sleep(0.1)

    assert started.status_code in (200, 204)
    assert status["StatusCode"] == "Finished"
    assert content(status["Results"]["output2"])


@needs("C#", ("System.Net.Http.Formatting",))
def test_a_classic_program_in_csharp_trains_and_scores(
    published: Published,
    request_body: dict[str, Any],
    box: ContainerClient,
    storage: Secret,
    working: threading.Event,
    tmp_path: Path,
) -> None:
    program, live = (CLASSIC / "BatchAndScore.cs").read_text(encoding="utf-8"), published.endpoint("live")
    training = [published.jobs_url, published.json["training"]["primary_key"]]
    scoring = [f"{live['api_location']}/execute", live["primary_key"]]

    output = output_of("C#", program, tmp_path, *training, *scoring, storage.reveal(), str(box.container_name))

    [state, *results, answer] = output.splitlines()
    assert state.strip() == "Finished"
    assert [line.split()[0] for line in results] == ["output1", "output2"]
    assert [row[2] for row in json.loads(answer)["Results"]["output1"]["value"]["Values"]] == ["clerk", "judge"]


@needs("R", ("RCurl", "rjson"))
def test_a_classic_program_in_r_scores(standing: Published, tmp_path: Path) -> None:
    program, live = (CLASSIC / "score.R").read_text(encoding="utf-8"), standing.endpoint("live")

    output = output_of("R", program, tmp_path, f"{live['api_location']}/execute", live["primary_key"])

    assert [row.split()[2] for row in output.splitlines()] == ["clerk", "judge"]


@pytest.mark.parametrize("body", [None, b"", b"{}"], ids=["C#", "Python and PowerShell", "others"])
def test_start_as_each_sample_sends_it(jobs: Jobs, request_body: dict[str, Any], body: bytes | None) -> None:
    address = f"{jobs.url}/{jobs.submit(request_body)}/start{VERSION}"
    types = {"Content-Type": "application/json; charset=us-ascii"} if body is not None else {}

    answer = httpx.post(address, content=body, headers={**jobs.headers, **types}, trust_env=False)

    assert (answer.status_code, answer.content) == (204, b"")


def test_a_client_that_gives_up_cancels_by_deleting(jobs: Jobs, request_body: dict[str, Any]) -> None:
    """The C# sample gives up after its own two minutes with a DELETE, whose answer it does not read."""
    job_id = jobs.submit(request_body)
    jobs.call("POST", f"/{job_id}/start")

    assert jobs.call("DELETE", f"/{job_id}").is_success
    assert jobs.call("GET", f"/{job_id}").json()["StatusCode"] == "Cancelled"


def test_data_factory_finds_the_texts_that_it_shows(jobs: Jobs, request_body: dict[str, Any]) -> None:
    """Its activity fails with `error.message` and `details[0].message`."""
    request_body["Outputs"]["output2"]["RelativeLocation"] = "box/metrics.xml"

    error = jobs.call("POST", "", json=request_body).json()["error"]

    assert error["message"] == "Invalid argument provided."
    assert "box/metrics.xml has an invalid or missing file extension" in error["details"][0]["message"]
