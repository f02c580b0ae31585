from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.azurite.process import Ports, connection_string
from local.host.errors import SettingsError
from local.host.host_json import read_host_json
from local.host.settings import Settings, read_local_settings

ACCOUNT = "AccountName=a;AccountKey=b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("plain", "plain"), ("%A%", "1"), ("x-%a%-%B__C%", "x-1-2"), ("%B:C%", "2"), ("", "")],
)
def test_settings_are_put_in_by_name_without_regard_to_case(text: str, expected: str) -> None:
    assert Settings({"A": "1", "B__C": "2"}).resolve(text) == expected


@pytest.mark.parametrize(
    ("text", "complaint"), [("%NO%", "no setting 'NO'"), ("100%", "without a closing"), ("%E%", "'E'")]
)
def test_a_name_that_is_not_set_is_an_error(text: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        Settings({"A": "1", "E": ""}).resolve(text)


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        ({"X": ACCOUNT}, "X", ACCOUNT),
        ({"X": "AccountName=other", "AzureWebJobsX": ACCOUNT}, "X", ACCOUNT),
        ({"AzureWebJobsStorage": ACCOUNT}, "", ACCOUNT),
        ({"AzureWebJobsStorage": ACCOUNT}, "Storage", ACCOUNT),
        ({"X": "UseDevelopmentStorage=true"}, "X", connection_string(Ports(10000, 10001, 10002))),
        ({"X": ACCOUNT, "X__blobServiceUri": "https://a"}, "X", ACCOUNT),
    ],
)
def test_a_connection_is_found_by_prefixed_name_then_by_name(values: dict[str, str], name: str, expected: str) -> None:
    assert Settings(values).connection(name) == expected


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({}, "connection 'X' does not exist: put a storage connection string into the setting 'AzureWebJobsX' or 'X'"),
        ({"X__blobServiceUri": "https://a"}, "names an identity"),
        ({"X": "sEcReT"}, "is set, but not to a storage connection string"),
    ],
)
def test_a_connection_that_is_none_says_what_to_set_and_repeats_no_value(
    values: dict[str, str], complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint) as caught:
        Settings(values).connection("X")

    assert "sEcReT" not in str(caught.value)


def test_local_settings_give_values_and_connection_strings(tmp_path: Path) -> None:
    path = _written(
        tmp_path / "local.settings.json",
        {
            "IsEncrypted": False,
            "Values": {"A": "1", "N": 2, "T": True, "GONE": None, "": "nameless"},
            "ConnectionStrings": {"S": "x"},
            "Host": {"LocalHttpPort": 7072},
        },
    )

    assert read_local_settings(path) == {"A": "1", "N": "2", "T": "true", "ConnectionStrings:S": "x"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"Values": {}}, "counts as encrypted"),
        ({"IsEncrypted": False, "Values": []}, None),
        ({"IsEncrypted": False, "Values": [1]}, "must be an object"),
        ({"IsEncrypted": False, "Values": {"A": {}}}, "'Values.A' .* must be a text"),
        ([], "must hold a JSON object"),
    ],
)
def test_unusable_local_settings_are_said_so(tmp_path: Path, content: object, complaint: str | None) -> None:
    path = _written(tmp_path / "local.settings.json", content)
    if complaint is None:
        assert read_local_settings(path) == {}
        return

    with pytest.raises(SettingsError, match=complaint):
        read_local_settings(path)


def test_a_missing_host_json_means_defaults(tmp_path: Path) -> None:
    options = read_host_json(tmp_path, Settings({}))

    assert (options.queues.batch_size, options.queues.max_dequeue_count, options.route_prefix) == (16, 5, "api")
    assert options.function_timeout_s == 1800


def test_values_are_read_and_settings_override_them(tmp_path: Path) -> None:
    _written(
        tmp_path / "host.json",
        {
            "version": "2.0",
            "functionTimeout": "00:10:00",
            "extensions": {
                "queues": {"batchSize": 4, "visibilityTimeout": "00:00:30"},
                "http": {"routePrefix": "/v1/"},
            },
            "logging": {"logLevel": {"default": "Warning", "Function.tick.User": "Debug"}},
        },
    )
    overrides = {
        "AzureFunctionsJobHost__extensions__queues__batchSize": "2",
        "AzureFunctionsJobHost__extensions__queues__newBatchThreshold": "0",
        "AzureFunctionsJobHost__functionTimeout": "-1",
    }

    options = read_host_json(tmp_path, Settings(overrides))

    assert (options.queues.batch_size, options.queues.new_batch_threshold) == (2, 0)
    assert options.queues.visibility_timeout_s == 30
    assert options.function_timeout_s is None
    assert options.route_prefix == "v1"
    assert options.log_level("Function.tick") == 30
    assert options.log_level("Function.tick.User") == 10


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({}, 'must say "version": "2.0"; it says null'),
        ({"version": "1.0"}, 'it says "1.0"'),
        ({"version": "2.0", "functionTimeout": "soon"}, "functionTimeout must be a time"),
        (
            {"version": "2.0", "extensions": {"queues": {"batchSize": 33}}},
            "extensions.queues.batchSize must be a whole",
        ),
        ({"version": "2.0", "extensions": {"queues": []}}, "extensions.queues must be an object"),
        (
            {"version": "2.0", "extensions": {"queues": {"messageEncoding": "x"}}},
            "messageEncoding must be base64 or none",
        ),
        ({"version": "2.0", "logging": {"logLevel": {"default": "Loud"}}}, "logLevel.default must be one of"),
        ({"version": "2.0", "singleton": {"listenerLockPeriod": "00:00:01"}}, "listenerLockPeriod must be from"),
    ],
)
def test_an_unusable_host_json_names_the_key(tmp_path: Path, content: object, complaint: str) -> None:
    _written(tmp_path / "host.json", content)

    with pytest.raises(SettingsError, match=complaint):
        read_host_json(tmp_path, Settings({}))


def _written(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path
