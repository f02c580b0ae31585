from __future__ import annotations

import json

import httpx
import pytest

from host.world import World
from local.host.host import FunctionsHost

KEY = "x-functions-key"


@pytest.fixture(scope="module")
def host(shared_world: World) -> FunctionsHost:
    return shared_world.host("basic")


def test_a_request_reaches_the_function_as_the_platform_carries_it(host: FunctionsHost) -> None:
    answer = httpx.post(
        f"{host.url}/api/ECHO/7?a=1&a=2&empty=",
        content="héllo".encode(),
        headers={KEY: host.function_key, "X-Own": "Yes"},
    )

    said = answer.json()
    assert said["id"] == "7"
    assert said["query"] == {"a": "1,2"}
    assert said["headers"]["x-own"] == "Yes"
    assert said["body"] == "héllo"
    assert said["function"] == "echo"


def test_a_response_keeps_its_status_headers_and_cookies(host: FunctionsHost) -> None:
    answer = httpx.get(f"{host.url}/api/echo/7", headers={KEY: host.function_key})

    assert answer.status_code == 201
    assert answer.headers["x-answer"] == "yes"
    assert answer.headers["content-type"] == "application/json"
    assert dict(answer.cookies) == {"a": "b"}


def test_a_chunked_body_arrives_empty(host: FunctionsHost) -> None:
    chunks = iter([b"lost", b"on the way"])

    answer = httpx.post(f"{host.url}/api/echo/7", content=chunks, headers={KEY: host.function_key})

    assert answer.json()["body"] == ""


def test_an_async_function_may_return_text(host: FunctionsHost) -> None:
    answer = httpx.get(f"{host.url}/api/plain")

    assert answer.text == "plain GET"
    assert answer.headers["content-type"].startswith("text/plain")


def test_an_exception_in_a_function_is_500_without_its_text(host: FunctionsHost) -> None:
    answer = httpx.get(f"{host.url}/api/broken")

    assert (answer.status_code, answer.text) == (500, "")


def test_a_function_that_returns_nothing_is_500(host: FunctionsHost) -> None:
    assert httpx.get(f"{host.url}/api/nothing").status_code == 500


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "api/nowhere"),
        ("DELETE", "api/echo/7"),
        ("GET", "api/echo/seven"),
        ("GET", "plain"),
        ("GET", "api/echo/7/8"),
    ],
)
def test_what_no_route_matches_is_404_even_without_a_key(host: FunctionsHost, method: str, path: str) -> None:
    assert httpx.request(method, f"{host.url}/{path}").status_code == 404


def test_keys_open_what_their_level_allows(host: FunctionsHost) -> None:
    keys = {"none": "", "wrong": "no", "function": host.function_key, "master": host.master_key}
    opens = {
        (path, name): httpx.get(f"{host.url}/api/{path}", headers={KEY: key}).is_success
        for path in ("plain", "echo/7", "secret")
        for name, key in keys.items()
    }

    assert {pair for pair, is_open in opens.items() if not is_open} == {
        ("echo/7", "none"), ("echo/7", "wrong"),
        ("secret", "none"), ("secret", "wrong"), ("secret", "function"),
    }  # fmt: skip


def test_a_missing_key_is_401_and_a_key_may_come_as_code(host: FunctionsHost) -> None:
    assert httpx.get(f"{host.url}/api/echo/7").status_code == 401
    assert httpx.get(f"{host.url}/api/echo/7", params={"code": host.function_key}).status_code == 201


def test_a_disabled_function_is_404_except_with_the_master_key(world: World) -> None:
    host = world.host("basic", **{"AzureWebJobs.plain.Disabled": "true"})

    assert httpx.get(f"{host.url}/api/plain").status_code == 404
    assert httpx.get(f"{host.url}/api/plain", headers={KEY: host.master_key}).status_code == 200


def test_keys_and_route_prefix_come_from_settings(world: World) -> None:
    host = world.host(
        "basic",
        LOCAL_HOST_MASTER_KEY="given",
        AzureFunctionsJobHost__extensions__http__routePrefix="",
    )

    assert host.master_key == "given"
    assert httpx.get(f"{host.url}/secret", headers={KEY: "given"}).text == "opened"


def test_the_worker_does_not_see_the_hosts_keys(world: World) -> None:
    host = world.host("basic", LOCAL_HOST_MASTER_KEY="given")

    said = httpx.get(f"{host.url}/api/environment", headers={KEY: "given"}).json()

    assert said["NS"] == world.namespace
    assert "given" not in json.dumps(said)
