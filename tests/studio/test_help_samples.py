"""The help pages' own sample programs, taken from the page and run: score, train, score a file, replace a model."""

from __future__ import annotations

import html
import json
import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import tree_sitter
import tree_sitter_powershell
from azure.storage.blob import BlobSasPermissions, ContainerClient, generate_blob_sas
from exchanges import Published, people, scored
from sample_programs import in_every_language, output_of, ran

from shared.secret import Secret
from studio.blobs.connection import StorageAccount
from studio.web.help.samples import samples

LANGUAGES = in_every_language()
PAGES = ["/score", "/jobs", "/update"]
SAMPLE_CONNECTION = "DefaultEndpointsProtocol=https;AccountName=mystorage;AccountKey=****"
SAMPLE_BASE, SAMPLE_TOKEN = "https://mystorage.blob.core.windows.net/", "?sv=…&sr=b&sig=…&se=…&sp=r"


def sample(published: Published, endpoint: dict[str, Any], page: str, language: str, key: str | None = None) -> str:
    """Cut a program out of a page, and put a key in place, as its user has to."""
    identifier = endpoint["api_location"].rpartition("/")[2]
    service = published.service.registry.catalog.endpoints[identifier].service_id
    workspace = published.json["workspace"]
    address = f"/apihelp/workspaces/{workspace}/webservices/{service}/endpoints/{identifier}{page}"
    text = published.client.get(address).raise_for_status().text
    found = re.search(rf"<summary>{re.escape(language)}</summary>.*?<code>(.*?)</code>", text, re.DOTALL)
    assert found is not None
    program = html.unescape(found[1])
    mark = re.search(r"(?i)api_?key = '?\"?(\*{4})|api_key <- \"(\*{4})|API_KEY='(\*{4})", program)
    assert mark is not None, program
    at = mark.end() - 4
    return program[:at] + (key or endpoint["primary_key"]) + program[at + 4 :]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_score_sample_scores(standing: Published, tmp_path: Path, language: str) -> None:
    output = output_of(language, sample(standing, standing.endpoint("live"), "/score", language), tmp_path)

    answer = json.loads(output[output.index("{") : output.rindex("}") + 1])
    value = answer["Results"]["output1"]["value"]
    assert value["ColumnNames"][-2:] == ["Scored Labels", "Scored Probabilities"]
    assert len(value["Values"]) == 1


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sample_says_what_went_wrong(standing: Published, tmp_path: Path, language: str, page: str) -> None:
    finished = ran(language, sample(standing, standing.endpoint("live"), page, language, key="nonsense"), tmp_path)

    assert "Invalid credentials provided." in finished.stdout + finished.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_samples_retrain_an_endpoint(
    published: Published,
    box: ContainerClient,
    storage: Secret,
    account: StorageAccount,
    working: threading.Event,
    tmp_path: Path,
    language: str,
) -> None:
    training = {**published.json["training"], "api_location": published.jobs_url.removesuffix("/jobs")}
    live = published.endpoint("live")
    box.upload_blob("data.csv", people(tmp_path / "data.csv", 400, seed=1).read_bytes())

    def with_storage(program: str) -> str:
        program = program.replace(SAMPLE_CONNECTION, storage.reveal()).replace(SAMPLE_BASE, account.base_location)
        return program.replace("container/", f"{box.container_name}/")

    trained = output_of(language, with_storage(sample(published, training, "/jobs", language)), tmp_path)

    assert "Finished" in trained
    assert box.download_blob("output2.csv").readall().startswith(b"Accuracy,")

    box.upload_blob("data.csv", b"age,hours,job\n40,40,clerk\n61,55,judge\n", overwrite=True)
    file_scored = output_of(language, with_storage(sample(published, live, "/jobs", language)), tmp_path)

    assert "Finished" in file_scored
    assert box.download_blob("output1.csv").readall().count(b"\n") == 3

    before = scored(published, "live")
    program = with_storage(sample(published, live, "/update", language)).replace("model.ilearner", "output1.ilearner")
    output_of(language, program.replace(SAMPLE_TOKEN, token(account, box, "output1.ilearner")), tmp_path)

    assert scored(published, "live") != before


def token(account: StorageAccount, box: ContainerClient, name: str) -> str:
    assert account.key is not None
    signed = generate_blob_sas(
        account.name,
        str(box.container_name),
        name,
        account_key=account.key.reveal(),
        permission=BlobSasPermissions(read=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    return f"?{signed}"


@pytest.mark.parametrize("purpose", ["score", "jobs", "update"])
def test_the_powershell_samples_are_powershell(purpose: str) -> None:
    """Held to PowerShell's grammar, for machines without PowerShell."""
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    program = dict(samples(purpose, "https://host/it's", {"Inputs": {"a'@\"$b": [["größer"]]}}))["PowerShell"]

    assert not parser.parse(program.encode()).root_node.has_error
    assert parser.parse(program.replace('" }', '"').encode()).root_node.has_error
