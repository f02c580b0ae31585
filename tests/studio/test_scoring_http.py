"""Scoring over HTTP: the forms of request and answer, and what is said of one that cannot be scored."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from exchanges import VERSION, Published, bearer, error_of, recorded

COLUMNS = ["age", "hours", "job", "income"]
ROWS = [["70", "60.5", "judge", ">50K"], ["20", "10", "clerk", None]]


@pytest.fixture
def published(standing: Published) -> Published:
    return standing


def table(columns: list[str] = COLUMNS, rows: object = ROWS, **parts: Any) -> dict[str, Any]:
    return {"Inputs": {"input1": {"ColumnNames": columns, "Values": rows}}, "GlobalParameters": {}, **parts}


def objects(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Inputs": {"input1": rows}, "GlobalParameters": {}}


def execute(published: Published, body: object, query: str = "", name: str = "live", **sent: Any) -> httpx.Response:
    endpoint = published.endpoint(name)
    headers = {**published.headers(name), **sent.pop("headers", {})}
    content: dict[str, Any] = {"json": body} if not isinstance(body, bytes) else {"content": body}
    return published.client.post(f"{endpoint['api_location']}/execute{VERSION}{query}", headers=headers, **content)


def test_plain_answers_hold_values_alone(published: Published) -> None:
    shape = recorded("scoring_bodies.json")["answer_plain"]["body"]["Results"]["output1"]

    output = execute(published, table()).json()["Results"]["output1"]

    assert output.keys() == shape.keys()
    assert output["type"] == shape["type"]
    assert output["value"].keys() == shape["value"].keys()


def test_details_add_names_and_types(published: Published) -> None:
    shape = recorded("scoring_bodies.json")["answer_details"]["body"]["Results"]["output1"]

    output = execute(published, table(), "&details=true").json()["Results"]["output1"]

    assert list(output) == list(shape)
    assert list(output["value"]) == list(shape["value"])
    assert output["value"]["ColumnNames"] == [*COLUMNS, "Scored Labels", "Scored Probabilities"]
    assert output["value"]["ColumnTypes"] == ["Int32", "Double", "String", "String", "String", "Double"]


@pytest.mark.parametrize("query", ["&format=swagger", "&format=swagger&details=true"])
def test_swagger_answers_are_bare_objects(published: Published, query: str) -> None:
    shape = recorded("scoring_bodies.json")["answer_swagger"]["body"]["Results"]["output1"]

    output = execute(published, objects([dict(zip(COLUMNS, row, strict=True)) for row in ROWS]), query).json()

    rows = output["Results"]["output1"]
    assert isinstance(rows, list)
    assert list(rows[0]) == [*COLUMNS, *shape[0]]


def test_all_forms_of_request_and_answer_agree(published: Published) -> None:
    as_objects = objects([dict(zip(COLUMNS, row, strict=True)) for row in ROWS])
    reordered = table(COLUMNS[::-1], [row[::-1] for row in ROWS])

    plain = execute(published, table()).json()["Results"]["output1"]["value"]["Values"]
    others = [
        execute(published, as_objects).json()["Results"]["output1"]["value"]["Values"],
        execute(published, reordered).json()["Results"]["output1"]["value"]["Values"],
        execute(published, table(), "&details=true").json()["Results"]["output1"]["value"]["Values"],
        [list(row.values()) for row in execute(published, table(), "&format=swagger").json()["Results"]["output1"]],
    ]

    assert others == [plain] * 4


def test_every_cell_is_a_text_and_a_missing_one_is_null(published: Published) -> None:
    rows = execute(published, table()).json()["Results"]["output1"]["value"]["Values"]

    assert rows[0][:4] == ["70", "60.5", "judge", ">50K"]
    assert rows[1][:4] == ["20", "10", "clerk", None]
    assert [row[4] for row in rows] == [">50K", "<=50K"]
    assert 0 <= float(rows[1][5]) < 0.5 < float(rows[0][5]) <= 1


def test_bare_numbers_score_as_their_texts_do(published: Published) -> None:
    numbers = execute(published, table(rows=[[70, 60.5, "judge", ">50K"]])).json()
    texts = execute(published, table(rows=[["70", "60.5", "judge", ">50K"]])).json()

    assert numbers == texts


def test_the_label_may_be_left_out(published: Published) -> None:
    answer = execute(published, table(COLUMNS[:3], [row[:3] for row in ROWS]))

    assert [row[3] for row in answer.json()["Results"]["output1"]["value"]["Values"]] == [None, None]


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte-order-mark"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/json", "Content-Encoding": "UTF-8", "Accept": "text/json"},
        {"Content-Type": "application/json; charset=us-ascii"},
        {"Content-Type": "application/x-www-form-urlencoded"},  # what curl -d sends
        {"Content-Type": "text/plain", "Accept": "*/*"},
        {"Content-Type": ";;", "Accept": "image/png"},
    ],
)
def test_scoring_minds_no_content_type(published: Published, headers: dict[str, str], start: bytes) -> None:
    body = start + httpx.Request("POST", "http://x", json=table()).content

    answer = execute(published, body, headers=headers)

    assert (answer.status_code, answer.json()) == (200, execute(published, table()).json())


def test_a_request_without_rows_answers_without_rows(published: Published) -> None:
    assert execute(published, table(rows=[])).json()["Results"]["output1"]["value"]["Values"] == []


def test_a_large_request_gives_the_answers_of_small_ones(published: Published) -> None:
    small = execute(published, table()).json()["Results"]["output1"]["value"]["Values"]

    large = execute(published, table(rows=ROWS * 3000)).json()["Results"]["output1"]["value"]["Values"]

    assert large == small * 3000


def test_a_subscription_address_and_a_missing_api_version_are_accepted(published: Published) -> None:
    address = published.endpoint("live")["api_location"].replace("workspaces", "subscriptions")

    answer = published.client.post(f"{address}/execute", headers=published.headers("live"), json=table())

    assert answer.status_code == 200


def test_the_secondary_key_opens_the_endpoint_too(published: Published) -> None:
    answer = execute(published, table(), headers=bearer(published.endpoint("live")["secondary_key"]))

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        (b"", "BadArgument", "RequestIsEmpty"),
        (b"{", "BadArgument", "RequestBodyInvalid"),
        (b'{"Inputs": NaN}', "BadArgument", "RequestBodyInvalid"),
        ([], "BadArgument", "RequestBodyInvalid"),
        ({}, "BadArgument", "MissingRequestInput"),
        ({"Inputs": {"other": {}}}, "BadArgument", "InvalidInputNames"),
        ({"Inputs": {"input1": None}}, "BadArgument", "InvalidInputNames"),
        ({"Inputs": {**table()["Inputs"], "input2": {}}}, "BadArgument", "InvalidInputNames"),
        ({"Inputs": {"input1": {"ColumnNames": COLUMNS}}}, "BadArgument", "RequestBodyInvalid"),
        ({"Inputs": {"input1": {"ColumnNames": [1], "Values": []}}}, "BadArgument", "RequestBodyInvalid"),
        ({"Inputs": {"input1": [1]}}, "BadArgument", "RequestBodyInvalid"),
        (table(GlobalParameters={"Random seed": "1"}), "BadUserArgument", "UnexpectedParameter"),
        (table([*COLUMNS, "shoe size"], [["1", "2", "clerk", None, "42"]]), "BadUserArgument", "InputMismatchError"),
        (table(["Age", "hours", "job"], [["1", "2", "clerk"]]), "BadUserArgument", "InputMismatchError"),
        (table(COLUMNS[:2], [["1", "2"]]), "BadUserArgument", "InputMismatchError"),
        (table(rows=[["1", "2"]]), "BadUserArgument", "InputMismatchError"),
        (table(rows=["1"]), "BadUserArgument", "InputMismatchError"),
        (table(rows=[["old", "2", "clerk", None]]), "BadUserArgument", "InputParseError"),
        (objects([{"age": "1", "hours": "2", "job": "x"}, {"age": "1"}]), "BadUserArgument", "InputMismatchError"),
    ],
)
def test_each_mistake_has_the_protocols_codes(published: Published, body: object, code: str, detail: str) -> None:
    assert error_of(execute(published, body)) == (400, code, detail)


def test_a_second_input_that_is_null_is_absent(published: Published) -> None:
    assert execute(published, {"Inputs": {"input0": None, **table()["Inputs"]}}).status_code == 200


def test_a_cell_that_cannot_be_read_is_named_by_row_and_column(published: Published) -> None:
    answer = execute(published, table(rows=[ROWS[0], ["old", "2", "clerk", None]]))

    message = answer.json()["error"]["details"][0]["message"]
    assert "row 2" in message
    assert "'age'" in message


def test_a_wrong_key_is_refused_as_recorded(published: Published) -> None:
    expected = recorded("scoring_bodies.json")["unauthorized"]

    answer = execute(published, table(), headers=bearer("wrong"))

    assert answer.status_code == expected["status"]
    assert answer.json() == expected["body"]


def test_another_endpoints_key_does_not_open_this_one(published: Published) -> None:
    assert execute(published, table(), headers=published.headers("staging")).status_code == 401


def test_an_unknown_endpoint_is_not_found(published: Published) -> None:
    address = published.endpoint("live")["api_location"][:-4] + "0000"

    answer = published.client.post(f"{address}/execute", headers=published.headers("live"), json=table())

    assert error_of(answer) == (404, "NotFound", "WebServiceNotFound")


@pytest.mark.parametrize("path", ["/execute", "/workspaces/x/execute", "/elsewhere/x/services/y/execute"])
def test_an_address_of_another_shape_is_not_found(published: Published, path: str) -> None:
    assert published.client.post(path, json={}).status_code == 404


def test_scoring_by_get_is_refused_in_the_protocols_form(published: Published) -> None:
    answer = published.client.get(f"{published.endpoint('live')['api_location']}/execute")

    assert error_of(answer) == (405, "MethodNotAllowed", "MethodNotAllowed")


def test_a_training_service_has_no_model_to_score_with(published: Published) -> None:
    address = published.jobs_url.replace("/jobs", "/execute")

    answer = published.client.post(address, headers=published.jobs_headers, json=table())

    assert error_of(answer) == (400, "BadArgument", "WebServiceTypeInvalid")


def test_a_body_that_is_too_large_is_refused(published: Published) -> None:
    read, refused = (execute(published, b"{}".ljust(n_bytes)) for n_bytes in (16 * 2**20, 16 * 2**20 + 1))

    assert error_of(read) == (400, "BadArgument", "MissingRequestInput")
    assert error_of(refused) == (413, "MemoryQuotaViolation", "OutOfMemoryLimit")
