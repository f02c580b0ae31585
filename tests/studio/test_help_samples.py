"""The help pages' own sample programs, taken from the page and run: train, score a file, replace a model."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.storage.blob import ContainerClient
from exchanges import Jobs, Published, RunJobs, people, scored

from shared.secret import Secret
from studio.blobs.connection import StorageAccount

COMMANDS = {"Python 3": [sys.executable, "-"], "curl": ["sh", "-s"]}
LANGUAGES = [
    "Python 3",
    pytest.param("curl", marks=pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")),
]
SAMPLE_CONNECTION = "DefaultEndpointsProtocol=https;AccountName=mystorage;AccountKey=****"

Sample = Callable[[dict[str, Any], str, str], str]


@pytest.fixture
def sample(published: Published, box: ContainerClient, storage: Secret) -> Sample:
    """Cut a program out of a page, and put in place what its user has to: the key, the account, the container."""

    def cut(endpoint: dict[str, Any], page: str, language: str) -> str:
        identifier = endpoint["api_location"].rpartition("/")[2]
        service = published.service.registry.catalog.endpoints[identifier].service_id
        workspace = published.json["workspace"]
        address = f"/apihelp/workspaces/{workspace}/webservices/{service}/endpoints/{identifier}{page}"
        text = published.client.get(address).raise_for_status().text
        found = re.search(rf"<summary>{re.escape(language)}</summary>.*?<code>(.*?)</code>", text, re.DOTALL)
        assert found is not None
        program = html.unescape(found[1]).replace(SAMPLE_CONNECTION, storage.reveal())
        return program.replace("****", endpoint["primary_key"]).replace('"container/', f'"{box.container_name}/')

    return cut


@pytest.fixture
def training(published: Published) -> dict[str, Any]:
    return {**published.json["training"], "api_location": published.jobs_url.removesuffix("/jobs")}


def ran(language: str, program: str) -> str:
    finished = subprocess.run(  # noqa: S603
        COMMANDS[language], input=program, capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_jobs_sample_trains(
    sample: Sample,
    training: dict[str, Any],
    box: ContainerClient,
    tmp_path: Path,
    working: threading.Event,
    language: str,
) -> None:
    box.upload_blob("data.csv", people(tmp_path / "data.csv", 400, seed=1).read_bytes())

    output = ran(language, sample(training, "/jobs", language))

    assert "Finished" in output
    assert box.download_blob("output1.ilearner").readall().startswith(b"PK")
    assert box.download_blob("output2.csv").readall().startswith(b"Accuracy,")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_jobs_sample_scores_a_file(
    published: Published, sample: Sample, box: ContainerClient, working: threading.Event, language: str
) -> None:
    box.upload_blob("data.csv", b"age,hours,job\n40,40,clerk\n61,55,judge\n")

    output = ran(language, sample(published.endpoint("live"), "/jobs", language))

    assert "Finished" in output
    if language == "Python 3":
        address = output.split()[-1]
        assert httpx.get(address, trust_env=False).text.count("\n") == 3
    assert box.download_blob("output1.csv").readall().count(b"\n") == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_update_sample_gives_the_endpoint_another_model(
    published: Published,
    sample: Sample,
    jobs: Jobs,
    request_body: dict[str, Any],
    run_jobs: RunJobs,
    account: StorageAccount,
    language: str,
) -> None:
    result = jobs.finished(request_body, run_jobs)["Results"]["output1"]
    program = sample(published.endpoint("live"), "/update", language)
    program = program.replace("https://mystorage.blob.core.windows.net/", account.base_location)
    program = program.replace("?sv=…&sr=b&sig=…&se=…&sp=r", result["SasBlobToken"])
    before = scored(published, "live")

    ran(language, program)

    assert scored(published, "live") != before
