"""Limits: scoring calls at once, the size of bodies, wrong keys; and what every answer carries."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
import pytest
from exchanges import ROW, TOKEN, VERSION, Published, bearer, error_of

from studio.errors import Unauthorized, Unavailable
from studio.web.key_guard import MAX_WRONG_KEYS, WINDOW_S, KeyGuard

BODY = json.dumps(ROW).encode()
REFUSAL = Unauthorized("ScoreRequestUnauthorized", "Invalid credentials provided.")


class SlowCall:
    """A scoring call whose body is still on its way; the server has admitted it once it asks for that body."""

    def __init__(self, published: Published, name: str) -> None:
        address = urlsplit(published.endpoint(name)["api_location"])
        self._socket = socket.create_connection((str(address.hostname), address.port or 80), timeout=30)
        head = [
            f"POST {address.path}/execute HTTP/1.1",
            f"Host: {address.netloc}",
            f"Authorization: {published.headers(name)['Authorization']}",
            f"Content-Length: {len(BODY)}",
            "Expect: 100-continue",
        ]
        self._socket.sendall("\r\n".join([*head, "", ""]).encode())
        self._file = self._socket.makefile("rb")
        self.first_line = self._file.readline()

    def finish(self) -> bytes:
        self._file.readline()
        self._socket.sendall(BODY)
        return self._file.readline()

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@contextmanager
def slow_calls(published: Published, name: str, n_calls: int) -> Iterator[list[SlowCall]]:
    with ExitStack() as stack:
        calls = []
        for _ in range(n_calls):
            call = SlowCall(published, name)
            stack.callback(call.close)
            calls.append(call)
        yield calls


def execute(published: Published, name: str = "live", key: str | None = None) -> httpx.Response:
    headers = published.headers(name) if key is None else bearer(key)
    return published.client.post(f"{published.endpoint(name)['api_location']}/execute", headers=headers, content=BODY)


def test_calls_over_the_endpoints_maximum_are_refused_by_name_and_number(published: Published) -> None:
    with slow_calls(published, "live", 4) as calls:
        assert {call.first_line for call in calls} == {b"HTTP/1.1 100 Continue\r\n"}

        refused, elsewhere = execute(published), execute(published, "staging")

    assert error_of(refused) == (503, "ServiceUnavailable", "RequestThrottled")
    message = refused.json()["error"]["details"][0]["message"]
    assert "'live'" in message
    assert "maximum of 4 " in message
    assert elsewhere.status_code == 200


def test_a_call_that_ended_makes_room_for_the_next(published: Published) -> None:
    with slow_calls(published, "live", 4) as calls:
        assert execute(published).status_code == 503

        assert calls[0].finish() == b"HTTP/1.1 200 OK\r\n"

        assert execute(published).status_code == 200


def test_a_changed_maximum_holds_at_once(published: Published) -> None:
    address = published.endpoint("live")["management_url"]
    published.client.patch(address, headers=published.headers("live"), json={"MaxConcurrentCalls": 1})

    with slow_calls(published, "live", 1):
        assert execute(published).status_code == 503
        published.client.patch(address, headers=published.headers("live"), json={"MaxConcurrentCalls": 2})
        assert execute(published).status_code == 200


@pytest.mark.parametrize(
    ("sent", "n_calls"),
    [
        ({"ThrottleLevel": "High"}, 20),
        ({"ThrottleLevel": "High", "MaxConcurrentCalls": 200}, 200),
        ({"ThrottleLevel": "Low"}, 4),
        ({"MaxConcurrentCalls": 50}, 50),
    ],
)
def test_a_throttle_level_without_a_number_brings_its_own(
    published: Published, sent: dict[str, object], n_calls: int
) -> None:
    address = published.endpoint("live")["management_url"]

    published.client.patch(address, headers=published.headers("live"), json=sent)

    shown = published.client.get(address, headers=published.headers("live")).json()
    assert shown["MaxConcurrentCalls"] == n_calls


def test_a_caller_with_many_wrong_keys_is_not_listened_to_at_that_endpoint(published: Published) -> None:
    statuses = [execute(published, key="wrong").status_code for _ in range(MAX_WRONG_KEYS)]

    refused, elsewhere = execute(published), execute(published, "staging")

    assert set(statuses) == {401}
    assert error_of(refused) == (503, "ServiceUnavailable", "RequestThrottled")
    assert elsewhere.status_code == 200


def test_wrong_workspace_tokens_are_limited_too(published: Published) -> None:
    address = published.endpoint("live")["management_url"]
    for _ in range(MAX_WRONG_KEYS):
        assert published.client.get(address, headers=bearer("wrong")).status_code == 401

    refused = published.client.get(address, headers=bearer(TOKEN))

    assert error_of(refused) == (503, "ServiceUnavailable", "RequestThrottled")


def test_callers_without_a_key_are_limited_too(published: Published) -> None:
    address = f"{published.jobs_url}/{'0' * 32}{VERSION}"
    for _ in range(MAX_WRONG_KEYS):
        assert published.client.get(address).status_code == 401

    assert published.client.get(address, headers=published.jobs_headers).status_code == 503


def test_batch_keys_are_limited_too(published: Published) -> None:
    address = f"{published.jobs_url}/{'0' * 32}{VERSION}"
    for _ in range(MAX_WRONG_KEYS):
        assert published.client.get(address, headers=bearer("wrong")).status_code == 401

    assert published.client.get(address, headers=published.jobs_headers).status_code == 503


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def from_address(address: str) -> dict[str, object]:
    return {"client": (address, 1)}


def test_a_caller_is_listened_to_again_when_its_wrong_keys_are_old() -> None:
    clock = Clock()
    guard = KeyGuard(clock)
    for _ in range(MAX_WRONG_KEYS):
        guard.refused(from_address("10.0.0.1"), "door", REFUSAL)
    with pytest.raises(Unavailable, match="60 seconds"):
        guard.check(from_address("10.0.0.1"), "door")

    clock.now = WINDOW_S

    guard.check(from_address("10.0.0.1"), "door")


def test_wrong_keys_spread_over_time_are_no_reason_to_refuse() -> None:
    clock = Clock()
    guard = KeyGuard(clock)

    for _ in range(3 * MAX_WRONG_KEYS):
        clock.now += WINDOW_S / MAX_WRONG_KEYS
        guard.check(from_address("10.0.0.1"), "door")
        guard.refused(from_address("10.0.0.1"), "door", REFUSAL)


def test_other_callers_are_not_refused() -> None:
    guard = KeyGuard(Clock())
    for _ in range(MAX_WRONG_KEYS):
        guard.refused(from_address("10.0.0.1"), "door", REFUSAL)

    guard.check(from_address("10.0.0.2"), "door")


def test_only_where_somebody_is_shut_out_have_callers_to_be_told_apart() -> None:
    clock = Clock()
    guard = KeyGuard(clock)

    for _ in range(MAX_WRONG_KEYS - 1):
        guard.refused(from_address("10.0.0.1"), "door", REFUSAL)
    few = guard.is_open("door")
    guard.refused(from_address("10.0.0.1"), "door", REFUSAL)
    many, elsewhere = guard.is_open("door"), guard.is_open("other door")
    clock.now = WINDOW_S

    assert (few, many, elsewhere) == (True, False, True)
    assert guard.is_open("door")


def test_callers_behind_a_proxy_are_told_apart(published: Published) -> None:
    url = f"{published.endpoint('live')['api_location']}/execute"

    def status(caller: str, headers: dict[str, str]) -> int:
        sent = {**headers, "X-Forwarded-For": caller}
        return published.client.post(url, headers=sent, content=BODY).status_code

    wrong = {status("203.0.113.1", bearer("wrong")) for _ in range(MAX_WRONG_KEYS)}

    assert wrong == {401}
    assert status("203.0.113.1", published.headers("live")) == 503
    assert status("203.0.113.2", published.headers("live")) == 200


def test_callers_without_number_take_bounded_memory() -> None:
    guard = KeyGuard(Clock())

    for number in range(20_000):
        guard.refused(from_address(str(number)), "door", REFUSAL)

    assert len(guard._failures) == 10_000


def test_a_declared_body_that_is_too_large_is_refused_before_it_is_sent(published: Published) -> None:
    address = urlsplit(published.endpoint("live")["api_location"])
    head = [
        f"POST {address.path}/execute HTTP/1.1",
        f"Host: {address.netloc}",
        f"Authorization: {published.headers('live')['Authorization']}",
        f"Content-Length: {2**40}",
    ]

    with socket.create_connection((str(address.hostname), address.port or 80), timeout=30) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        first_line = connection.makefile("rb").readline()

    assert b" 413 " in first_line


@pytest.mark.parametrize("path", ["/health/live", "/nowhere", "/workspaces/a/services/b/execute"])
def test_each_answer_has_a_time(published: Published, path: str) -> None:
    answer = published.client.post(path)

    assert parsedate_to_datetime(answer.headers["date"]).tzinfo is not None
