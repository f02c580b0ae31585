"""
The error codes of the classic service, one by one: provoked here over HTTP, or named in docs/protocol.md with the
reason why they do not occur.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from azure.storage.blob import ContainerClient
from exchanges import ROW, Jobs, Published, bearer, error_of, people, recorded
from provocations import DECLARATION, Caller

from shared.secret import Secret
from studio.commands.publish import publish
from studio.services.addresses import Addresses

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
SUBSCRIPTIONS = "/subscriptions/{}/providers/Microsoft.MachineLearning/webServices"


def listed() -> Iterator[tuple[int, str, str]]:
    """Every code of the original: status, code, detail; the detail is empty where none is listed."""
    for code, status, details in recorded("error_codes.json")["codes"]:
        for detail in details or [""]:
            yield status, code, detail


def reasons() -> set[tuple[str, str]]:
    """What the page says cannot occur."""
    section = PAGE.partition("### Codes that do not occur here")[2].partition("\n## ")[0]
    found = set()
    for code, details in re.findall(r"^\| `(\w+)` \|([^|]*)\| [^|]{20,} \|$", section, re.MULTILINE):
        found |= {(code, detail) for detail in re.findall(r"`(\w+)`", details) or [""]}
    return found


CASES: dict[tuple[str, str], Callable[[Caller], httpx.Response]] = {
    ("BadArgument", "BadParameterValue"): lambda c: c.update({"ThrottleLevel": "Medium"}),
    ("BadArgument", "BadSubscriptionId"): lambda c: c.send("GET", SUBSCRIPTIONS.format("my-subscription")),
    ("BadArgument", "BatchJobInputsNotSpecified"): lambda c: c.submit(Inputs={}),
    ("BadArgument", "BatchJobInputsTooManySpecified"): lambda c: c.submit(Inputs={"input1": c.blob, "input2": c.blob}),
    ("BadArgument", "BlobNameTooLong"): lambda c: c.submit_blob(RelativeLocation=f"box/{'x' * 1025}.csv"),
    ("BadArgument", "BlobNotFound"): lambda c: c.update_model("absent.ilearner"),
    ("BadArgument", "ContainerSegmentInvalid"): lambda c: c.submit_blob(RelativeLocation="/rows.csv"),
    ("BadArgument", "ContainerValidationFailed"): lambda c: c.submit_blob(RelativeLocation="My Box/rows.csv"),
    ("BadArgument", "DuplicateInputInBatchCall"): lambda c: c.submit(Input=c.blob),
    ("BadArgument", "ExpiryTimeInThePast"): lambda c: c.update_definition(
        diagnostics={"level": "All", "expiry": "2017-03-01T10:00:00Z"}
    ),
    ("BadArgument", "InputBlobRelativeLocationInvalid"): lambda c: c.submit_blob(RelativeLocation=None),
    ("BadArgument", "InvalidBlob"): lambda c: c.submit_blob(
        ConnectionString=None, BaseLocation="https://elsewhere.example/", SasBlobToken="?sig=x"
    ),
    ("BadArgument", "InvalidBlobConnectionString"): lambda c: c.submit_blob(ConnectionString="AccountName=a"),
    ("BadArgument", "InvalidBlobExtension"): lambda c: c.submit_blob(RelativeLocation="box/rows.xlsx"),
    ("BadArgument", "InvalidInputNames"): lambda c: c.submit(Inputs={"input2": c.blob}),
    ("BadArgument", "InvalidOutputOverrideName"): lambda c: c.submit(Outputs={"Output1": c.blob}),
    ("BadArgument", "InvalidQueryParameter"): lambda c: c.send(
        "GET", SUBSCRIPTIONS.format(c.workspace), params={"$skiptoken": "page2"}
    ),
    ("BadArgument", "MissingInputBlobInformation"): lambda c: c.submit_blob(ConnectionString=None),
    ("BadArgument", "MissingModelPackage"): lambda c: c.send(
        "PUT",
        f"/subscriptions/{c.workspace}/resourceGroups/rg/providers/Microsoft.MachineLearning/webServices/New",
        json={"properties": {}},
    ),
    ("BadArgument", "MissingOutputOverrideSpecification"): lambda c: c.submit(
        Outputs={"output1": {"RelativeLocation": "box/m.ilearner"}}
    ),
    ("BadArgument", "MissingRequestInput"): lambda c: c.score(json={"GlobalParameters": {}}),
    ("BadArgument", "MissingRequiredGlobalParameters"): lambda c: c.strictly().submit(),
    ("BadArgument", "ModelConfigurationInvalid"): lambda c: c.send(
        "POST", f"/workspaces/{c.workspace}/experiments", json={"Experiment": 'name = "x"', "Data": c.blob}
    ),
    ("BadArgument", "RequestBodyInvalid"): lambda c: c.score(content=b"{"),
    ("BadArgument", "RequestIsEmpty"): lambda c: c.update(),
    ("BadArgument", "UnexpectedParameter"): lambda c: c.submit(GlobalParameters={"random seed": "1"}),
    ("BadArgument", "UserParameterInvalid"): lambda c: c.submit(GlobalParameters={"Random seed": "many"}),
    ("BadArgument", "WebServiceConcurrentRequestRequirementInvalid"): lambda c: c.update({"MaxConcurrentCalls": 0}),
    ("BadArgument", "WebServiceIdInvalid"): lambda c: c.send("GET", f"/workspaces/{c.workspace}/webservices/Census"),
    ("BadArgument", "WebServiceTooManyConcurrentRequestRequirement"): lambda c: c.update({"MaxConcurrentCalls": 201}),
    ("BadArgument", "WebServiceTypeInvalid"): lambda c: c.send(
        "POST",
        c.published.jobs_url.replace("/jobs", "/execute"),
        headers=c.published.jobs_headers,
        json=ROW,
    ),
    ("BadUserArgument", "InputMismatchError"): lambda c: c.score_cells(["Age", "hours", "job"], ["1", "2", "clerk"]),
    ("BadUserArgument", "InputParseError"): lambda c: c.score_cells(["age", "hours", "job"], ["old", "2", "clerk"]),
    ("BadUserArgument", "MissingRequiredGlobalParameters"): lambda c: c.strictly().score(json=ROW),
    ("BadUserArgument", "UnexpectedParameter"): lambda c: c.score(json={**ROW, "GlobalParameters": {"Seed": "1"}}),
    ("BadUserArgument", "UserParameterInvalid"): lambda c: c.strictly().score(
        json={**ROW, "GlobalParameters": {"Cut": "high"}}
    ),
    ("InvalidOperation", "CannotStartJob"): Caller.start_twice,
    ("InvalidOperation", "IncompatibleModel"): Caller.update_with_no_model,
    ("InvalidOperation", "MultipleInputsNotAllowed"): lambda c: c.submit(Inputs=None, Input={"a": c.blob, "b": c.blob}),
    ("Unauthorized", "ManagementRequestUnauthorized"): lambda c: c.send(
        "GET", f"/workspaces/{c.workspace}/webservices", headers=bearer("wrong")
    ),
    ("Unauthorized", "ScoreRequestUnauthorized"): lambda c: c.send("POST", c.published.jobs_url, headers={}),
    ("NotFound", "WebServiceIdNotFoundInWorkspace"): lambda c: c.send(
        "GET", f"/workspaces/{c.workspace}/webservices/{'0' * 32}"
    ),
    ("NotFound", "WebServiceNotFound"): lambda c: c.send(
        "POST", f"/workspaces/{c.workspace}/services/{'0' * 32}/execute", json=ROW
    ),
    ("NotFound", "WorkspaceNotFound"): lambda c: c.send("GET", f"/workspaces/{'0' * 32}/webservices"),
    ("RequestTimeout", "ScoreRequestTimeout"): Caller.too_slowly,
    ("Conflict", "ModelOutputMetadataMismatch"): Caller.update_with_other_columns,
    ("MemoryQuotaViolation", "OutOfMemoryLimit"): lambda c: c.score(content=b" " * (16 * 2**20 + 1)),
    ("InternalError", ""): Caller.with_a_fault_of_ours,
    ("InitializingContainers", ""): Caller.without_a_model,
    ("ModelPackageFormatError", ""): lambda c: c.after_a_start_with(b"no model at all"),
    ("NotFound", "ModelPackageNotFound"): lambda c: c.after_a_start_with(None),
    ("ServiceUnavailable", "NoMoreResources"): Caller.without_storage,
    ("ServiceUnavailable", "RequestThrottled"): Caller.beyond_the_maximum,
}

# Situations whose code was never recorded: what is given instead, with the status.
OURS: dict[tuple[int, str, str], Callable[[Caller], httpx.Response]] = {
    (403, "Forbidden", "PreventUpdate"): lambda c: c.update({"Resources": []}, "default"),
    (404, "NotFound", "JobNotFound"): lambda c: Jobs(c.published).call("GET", f"/{'0' * 32}"),
    (405, "MethodNotAllowed", "MethodNotAllowed"): lambda c: c.send("PUT", c.published.jobs_url),
}


def tabled() -> set[tuple[int, str, str]]:
    """What the page says is given: status, code, detail."""
    section = PAGE.partition("| status | code | detail codes given here |")[2].partition("\n\n")[0]
    found = set()
    for status, code, details in re.findall(r"^\| (\d{3}) \| `(\w+)` \| (.*) \|$", section, re.MULTILINE):
        found |= {(int(status), code, detail) for detail in re.findall(r"`(\w+)`", details) if not detail.isupper()}
    return found


@pytest.fixture(scope="module")
def strict(standing: Published, tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("strict")
    declared = DECLARATION.replace("Income", "Strict").replace('"split.seed"', '"split.seed", required = true')
    declared += '"Cut" = { sets = "score.Threshold", required = true }\n'
    (folder / "strict.toml").write_text(declared, encoding="utf-8")
    publication = publish(
        standing.service, folder / "strict.toml", people(folder / "a.csv", 300), ["live"], {"Random seed": "1"}
    )
    standing.service.registry.refresh()
    values = publication.to_json(Addresses(standing.service.settings.url))
    return Published(standing.client, standing.service, publication, values)


@pytest.fixture
def caller(
    standing: Published,
    strict: Published,
    box: ContainerClient,
    storage: Secret,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    start_again: Callable[[Published], Published],
) -> Caller:
    blob = {"ConnectionString": storage.reveal(), "RelativeLocation": f"{box.container_name}/rows.csv"}
    return Caller(standing, strict, box, blob, tmp_path, monkeypatch, start_again)


@pytest.mark.parametrize(("status", "code", "detail"), [entry for entry in listed() if entry[1:] in CASES])
def test_a_code_occurs_with_its_status_and_body(caller: Caller, status: int, code: str, detail: str) -> None:
    answer = CASES[code, detail](caller)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code), answer.text
    assert [found["code"] for found in error["details"]] == [detail] or (not detail and error["details"])
    assert error.keys() == {"code", "message", "details"}
    assert all(error["message"] and found["message"] for found in error["details"])
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert caller.blob["ConnectionString"] not in answer.text


@pytest.mark.parametrize(("status", "code", "detail"), OURS)
def test_what_was_never_recorded_has_a_code_in_the_same_form(
    caller: Caller, status: int, code: str, detail: str
) -> None:
    answer = OURS[status, code, detail](caller)

    assert answer.status_code == status, answer.text
    assert error_of(answer) == (status, code, detail)
    assert answer.json()["error"].keys() == {"code", "message", "details"}


def test_the_page_lists_the_codes_that_are_provoked_here_and_no_other() -> None:
    without_detail = {entry for entry in listed() if entry[1:] in CASES and not entry[2]}
    with_detail = {entry for entry in listed() if entry[1:] in CASES and entry[2]} | set(OURS)

    assert {entry for entry in tabled() if (entry[0], entry[1], "") not in without_detail} == with_detail
    assert {(status, code, "") for status, code, _ in tabled()} >= without_detail


def test_what_is_no_http_gets_a_body_and_an_id_too(standing: Published) -> None:
    address = urlsplit(str(standing.client.base_url))
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n")
        received = b""
        while part := connection.recv(1 << 16):
            received += part

    head, _, body = received.decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 400 Bad Request\r\n")
    assert re.search(r"^x-ms-request-id: [0-9a-f]{32}\r$", head, re.MULTILINE)
    fault = json.loads(body)["error"]
    assert (fault["code"], fault["details"][0]["code"]) == ("BadArgument", "RequestBodyInvalid")
    assert "no HTTP/1.1 request" in fault["details"][0]["message"]


def test_every_code_of_the_original_is_provoked_or_has_a_reason_not_to_occur() -> None:
    original = {entry[1:] for entry in listed()}

    assert original - CASES.keys() == reasons()
    assert CASES.keys() <= original
    assert len(original) > 70
